import sys,time
import numpy as np, benchmarks.device as b
from nanogap.device.kernels import entry, arrays
for cap in (np.inf,1e4):
    en=b.device(cap); 
    s0=int(en._counts.numbers[3])
    c=time.process_time();en.advance(1.0,max_events=500000,stop_on_contact=False); c=time.process_time()-c
    print('searches',int(en._counts.numbers[3])-s0,'of 500000', c)
    t=time.process_time()
    from nanogap.device.kernels import labels
    labels.label_all(en._sites.around,en._sites.grid,en._sites.flags,en._work.queue,en._counts.numbers)
    t=time.process_time()
    for _ in range(100): labels.label_all(en._sites.around,en._sites.grid,en._sites.flags,en._work.queue,en._counts.numbers)
    print('label_all us',(time.process_time()-t)/100*1e6)
    # stats of event: step one at a time
    st=[]
    for _ in range(3000):
        g=int(en._work.numbers[2]); en.advance(1.0,max_events=1,stop_on_contact=False)
        if int(en._work.numbers[2])!=g: 
            n=en._work.numbers
            li=en._work.lists
            t_=li[0,:n[0]]; s_=li[1,:n[1]]
            gst=en._sites.grid[:,2]; m=en._sites.masks
            surf=((gst[s_]==1)&((m[s_]>>12)!=0)).sum()
            st.append((n[0],n[1],n[3],n[4],n[5],surf,sum(bin(int(x)>>12).count('1') for x,g_ in zip(m[s_],gst[s_]) if g_==1)))
    print('touched stale changed sums own_cells surface bonds',np.mean(st,axis=0), len(st))
