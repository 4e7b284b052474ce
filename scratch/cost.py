import sys,time
import numpy as np, benchmarks.device as b
for cap in (np.inf,1e4):
    en=b.device(cap); en.advance(1.0,max_events=200000,stop_on_contact=False)
    # regress time against number worked out, in chunks
    rows=[]
    for i in range(150):
        g=int(en._work.numbers[2]); c=time.process_time()
        en.advance(1e9,max_events=10000,stop_on_contact=False)
        rows.append((time.process_time()-c,int(en._work.numbers[2])-g))
    r=np.array(rows); 
    A=np.stack([np.ones(len(r)),r[:,1]/10000],1)
    # robust: fit on lower half residuals
    x=np.linalg.lstsq(A,r[:,0]/10000*1e9,rcond=None)[0]
    for _ in range(5):
        res=r[:,0]/10000*1e9-A@x; keep=res<np.quantile(res,.6)
        x=np.linalg.lstsq(A[keep],(r[:,0]/10000*1e9)[keep],rcond=None)[0]
    print(cap,'ns base',x[0],'ns extra per worked out',x[1],'mean frac',r[:,1].mean()/1e4, 'ns mean',r[:,0].mean()/1e4*1e9,'min',r[:,0].min()/1e4*1e9)
    m=en._work.memory
    used=(m.keys>=0); w=m.words[used]
    print('slots used',used.sum(),'own',w[:,0].mean(),'read',w[:,1].mean(),'energies',w[:,2].mean(),'counts',w[:,3].mean(),'rates',w[:,4].mean(),'nodes',w[:,5].mean())
