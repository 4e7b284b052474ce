import sys,time
import numpy as np, benchmarks.device as b
from collections import OrderedDict, Counter
from nanogap.device.kernels import entry, arrays
cap=float(sys.argv[1]); N=int(sys.argv[2]); warm=int(sys.argv[3])
en=b.device(cap); en.advance(1.0,max_events=warm,stop_on_contact=False)
S,T,W=en._sites,en._tree,en._work
leaf=T.leaf[:-1]; ns=len(leaf)
site_of=np.full(((ns+8)//8)*8,ns); site_of[leaf]=np.arange(ns)
cellsites=site_of.reshape(-1,8)
def content(cells):
    s=cellsites[cells].ravel()
    return S.grid[s].tobytes()+S.masks[s].tobytes()
pre=None
grid=S.grid; masks=S.masks
seen={} ; 
lru={n:OrderedDict() for n in (1024,2048,4096,16384,65536)}
hits=Counter(); ways={}
wayh=Counter()
t=time.time(); cur=0
for i in range(N):
    g0=grid.copy() if False else None
    W.memory.keys[:]=-1
    # copies of before: need cells; save full
    gb=grid[:-1].copy(); mb=masks[:-1].copy()
    en.advance(1.0,max_events=1,stop_on_contact=False)
    # find cells from memory slot written
    k=np.flatnonzero(W.memory.keys>=0)
    if len(k)==0: hits['nomem']+=1; continue
    w=W.memory.words[k[0]]; own,read=w[0],w[1]
    c=np.concatenate([w[6:6+3*own:3], w[6+3*own:6+3*own+2*read:2]]); c.sort()
    s=cellsites[c].ravel(); s=s[s<ns]
    d=np.flatnonzero(gb[s,2]!=grid[s,2])
    st=s[d[gb[s[d],2]==1][0]]; nd=s[d[gb[s[d],2]==0][0]]
    cb=c.tobytes()
    before=hash((st,nd,cb,gb[s].tobytes(),mb[s].tobytes()))
    after=hash((nd,st,cb,grid[s].tobytes(),masks[s].tobytes()))
    a=before in seen
    hits['inf']+=a
    entry_id=seen.get(before)
    pair=tuple(sorted((before,after)))
    for n,o in lru.items():
        if pair in o: hits[n]+=1; o.move_to_end(pair)
        else:
            o[pair]=1
            if len(o)>n: o.popitem(last=False)
    bond=(min(st,nd),max(st,nd))
    l=ways.setdefault(bond,[])
    if pair in l: 
        p=l.index(pair); wayh[p]+=1; l.remove(pair)
    l.insert(0,pair)
    seen[before]=seen[after]=1
print(cap,N,'sec',time.time()-t)
for k,v in hits.items(): print(k,v/N)
print('bonds',len(ways),'pairs',len(seen)//2, 'contexts at depth', [(p,wayh[p]/N) for p in sorted(wayh)[:12]])
