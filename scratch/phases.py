import sys,time
import numpy as np, benchmarks.device as b
from numba import njit
from nanogap.device.kernels import entry, arrays, metal_hop, redox
from nanogap.device.kernels.arrays import *
from nanogap.device.kernels.energy import move_metal
from nanogap.device.kernels.labels import relabel
from nanogap.device.kernels.lists import begin, expire
from nanogap.device.kernels.masks import ATOM_EMPTY, toggle, metal_around, first_direction, empty_around
from nanogap.device.kernels.memory import recall, remember, change_cells
from nanogap.device.kernels.tree import find_leaf, sum_above
from nanogap.device.kernels.refresh import rates_of_site
from nanogap.device.kernels.random import uniform
from nanogap.device.lattice import EMPTY, METAL, OPPOSITE
from nanogap.device.kernels.loop import _donor

@njit(_nrt=False,error_model="numpy",inline="always")
def refresh(sites,tables,tree,work,level):
    around, grid, flags = sites.around, sites.grid, sites.flags
    masks = sites.masks
    lists, marks, numbers = work.lists, work.marks, work.numbers
    sums, leaves, nodes = tree.sums, tree.leaf, work.nodes
    if level<3: return
    for place in range(numbers[N_TOUCHED]):
        site = lists[TOUCHED, place]
        if grid[site, STATE] == EMPTY:
            bits = metal_around(masks, site)
            while bits != 0:
                expire(lists, marks, numbers, around[site, first_direction(bits)])
                bits &= bits - 1
        expire(lists, marks, numbers, site)
    if level<4: return
    levels, saddle, table, singles = tables.levels, tables.saddle, tables.rate, tables.numbers
    rates = work.rates
    plain = len(sites.inverse_temperature) == 0 and singles[OXIDATION_RATE] == 0.0
    changed = 0
    for place in range(numbers[N_STALE]):
        site = lists[STALE, place]
        if grid[site, STATE] == EMPTY:
            rate = 0.0
        elif plain and grid[site, STATE] == METAL:
            rate = 0.0
            if empty_around(masks, site) != 0 and not flags[site, FIXED]:
                rate = metal_hop.fill_rates(
                    around, grid, masks, levels, saddle, table, singles, site, rates
                )
        else:
            rate = rates_of_site(sites, tables, site, rates)
        leaf = leaves[site]
        if sums[leaf] != rate:
            work.old_rates[changed] = sums[leaf]
            sums[leaf] = rate
            nodes[changed] = leaf
            changed += 1
    numbers[N_CHANGED] = changed
    if level<5: return
    numbers[N_SUMS] = sum_above(sums, tree.offsets, nodes, work.children, work.node_marks, numbers[GENERATION], changed)
    if level<6: return
    change_cells(tree,work)

@njit(_nrt=False,error_model="numpy",inline="always")
def hop(sites,tables,tree,work,counts,site,direction,level):
    around, grid, flags, fields = sites.around, sites.grid, sites.flags, sites.fields
    numbers = work.numbers
    end = around[site, direction]
    donor = _donor(around, grid, end, site)
    redox.take_potential(fields, end, donor)
    toggle(around, sites.masks, site, ATOM_EMPTY)
    toggle(around, sites.masks, end, ATOM_EMPTY)
    if level==0: 
        grid[site,STATE],grid[end,STATE]=EMPTY,METAL
    elif level==8:
        recall(sites,tree,work.memory,site,direction)
        relabel(around, grid, sites.masks, flags, work.queue, counts.numbers, site, end)
    elif level==9:
        recall(sites,tree,work.memory,site,direction)
    else:
        begin(work)
        move_metal(around,grid,tables.levels,work.saved,work.lists,work.marks,numbers,site,direction)
        refresh(sites,tables,tree,work,level)
        if level>=7: remember(sites,tree,work,site,direction,_donor(around,grid,site,end))

@njit(error_model="numpy")
def bench(sites,tables,tree,work,counts,starts,directions,repeat,level):
    back=OPPOSITE
    for r in range(repeat):
        for k in range(len(starts)):
            s,d=starts[k],directions[k]
            hop(sites,tables,tree,work,counts,s,d,level)
            hop(sites,tables,tree,work,counts,sites.around[s,d],back[d],level)

@njit(error_model="numpy")
def draws(sites,tables,tree,work,counts,n):
    x=0
    root=tree.offsets[-1]
    t=0.0
    for i in range(n):
        total=tree.sums[root]
        t+=-np.log(1.0-uniform(counts.random))/total
        leaf,target=find_leaf(tree.sums,tree.offsets,uniform(counts.random)*total)
        site=tree.site[leaf]
        rates_of_site(sites,tables,site,work.rates)
        x+=site
    return x,t
@njit(error_model="numpy")
def draws2(sites,tables,tree,work,counts,n):
    x=0
    root=tree.offsets[-1]
    t=0.0
    for i in range(n):
        total=tree.sums[root]
        t+=-np.log(1.0-uniform(counts.random))/total
        leaf,target=find_leaf(tree.sums,tree.offsets,uniform(counts.random)*total)
        site=tree.site[leaf]
        x+=site
    return x,t

cap=float(sys.argv[1])
en=b.device(cap); en.advance(1.0,max_events=300000,stop_on_contact=False)
# sample hops
S,D=[],[]
grid=en._sites.grid; rng=np.random.default_rng(1)
g0=grid[:,2].copy()
en2=en.copy()
prev=en2._sites.grid[:,2].copy()
# collect hops with own start state: choose bonds possible in current state, weighted by the rate of capped
cand=[]
for site in np.flatnonzero((grid[:-1,2]==1)&(grid[:-1,3]<12)&(en._sites.flags[:-1,0]==0)):
    r=en.rates_of_site(int(site))[:12]
    for d in np.flatnonzero(r>0): cand.append((r[d],int(site),int(d)))
cand.sort(reverse=True)
top=cand[:200]
S=np.array([c[1] for c in top]);D=np.array([c[2] for c in top])
A=(en._sites,en._tables,en._tree,en._work,en._counts)
print('total',en.total_rate,'top 200 share',sum(c[0] for c in top)/en.total_rate)
from nanogap.device.kernels.refresh import refresh_all
res={}
for rnd in range(int(sys.argv[2])):
  for level in (0,1,3,4,5,6,7,8,9,'draw','draw2'):
    if level in('draw','draw2'):
        f=draws if level=='draw' else draws2
        f(*A,10); c=time.process_time(); f(*A,200000); t=(time.process_time()-c)/200000
    else:
        bench(*A,S[:1],D[:1],1,level)
        if level==8: bench(*A,S,D,1,7)
        c=time.process_time(); bench(*A,S,D,50,level); t=(time.process_time()-c)/(50*400)
        if level in (1,3): entry.rebuild(*A)
    res.setdefault(level,[]).append(t*1e9)
names={0:'toggle,donor,potential',1:'+move_metal',3:'+expire',4:'+rates',5:'+sums',6:'+change_cells',7:'+remember',8:'hit+relabel',9:'hit without relabel','draw':'draw time, leaf, rates of site','draw2':'without rates'}
for k,v in res.items(): print(f'{names[k]:40s} min {min(v):8.1f} median {np.median(v):8.1f} ns')
