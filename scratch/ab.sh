# usage: ab.sh events cap seeds... ; alternates main and mine
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
ev=$1; cap=$2; shift 2
for s in "$@"; do for r in ${ROOTS:-/work/main /work/wt/j18-speed}; do
 (cd $r; echo "$(basename $r) cap $cap seed $s: $(PYTHONPATH=$r/src:$r PYTHONPYCACHEPREFIX=/tmp/speed/pyc NUMBA_CACHE_DIR=/tmp/speed/nb$(basename $r) /work/main/.venv/bin/python /tmp/speed/ab.py $r $cap $s $ev)")
done; done
