"""args: cap seed rounds ; prints best ns per event of bursts: normal and all worked out"""
import sys,time,json,zlib
import numpy as np, numba
import benchmarks.device as b
from nanogap.device.kernels import entry, loop
cap=float(sys.argv[1]); rounds=int(sys.argv[2])
en=b.device(cap)
normal=numba.njit(entry.run.py_func)
entry.run=normal
en.advance(1.0,max_events=100000,stop_on_contact=False)
entry.run=None
def never(sites,tree,memory,site,direction): return False
loop.recall=numba.njit(never,_nrt=False,error_model="numpy")
loop.run=numba.njit(loop.run.py_func if hasattr(loop.run,'py_func') else loop.run,_nrt=False,error_model="numpy")
from nanogap.device.kernels.entry import _made_run
# fresh: recompile run with the patched recall
src=loop._hop_metal.py_func
loop._hop_metal=numba.njit(src,_nrt=False,error_model="numpy",inline="always")
loop._do_event=numba.njit(loop._do_event.py_func,_nrt=False,error_model="numpy",inline="always")
loop.run=numba.njit(loop.run.py_func,_nrt=False,error_model="numpy")
missing=numba.njit(_made_run(1).py_func)
def burst(f,n):
    entry.run=f
    c=time.process_time(); en.advance(1e9,max_events=n,stop_on_contact=False); return (time.process_time()-c)/n*1e9
burst(missing,10)
N,M=[],[]
for _ in range(rounds):
    g=int(en._work.numbers[2]); t=burst(normal,10000); N.append((t,(int(en._work.numbers[2])-g)/10000))
    M.append(burst(missing,2000))
a=np.array(N); 
print(json.dumps(dict(normal_q10=round(np.quantile(a[:,0],.1)),normal_median=round(np.median(a[:,0])),worked_out=round(a[:,1].mean(),4),miss_q10=round(np.quantile(M,.1)),miss_median=round(np.median(M)),crc=zlib.crc32(en._sites.grid.tobytes()),sums=zlib.crc32(en._tree.sums.tobytes()))))
