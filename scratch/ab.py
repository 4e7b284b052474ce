"""child: time runs; args: root cap seed events"""
import sys,time,json
root,cap,seed,events=sys.argv[1],float(sys.argv[2]),int(sys.argv[3]),int(sys.argv[4])
import benchmarks.device as b
import numpy as np
from nanogap.device.engine import LatticeKMC
import nanogap.device.engine as e
init=LatticeKMC.__init__
def patched(self,*a,**k):
    k['seed']=seed
    init(self,*a,**k)
LatticeKMC.__init__=patched
en=b.device(cap)
en.advance(1.0,max_events=1000,stop_on_contact=False)
g0=int(en._work.numbers[2])
n=events//5; sp=[]
for i in range(5):
    c=time.process_time(); en.advance(1e9,max_events=n,stop_on_contact=False); sp.append(n/(time.process_time()-c))
g=int(en._work.numbers[2])-g0
import zlib
print(json.dumps(dict(mean=events/sum(n/s for s in sp),best=max(sp),worked_out=g/events,time=en.time,crc=zlib.crc32(en._sites.grid.tobytes()),crcs=zlib.crc32(en._tree.sums.tobytes()))))
