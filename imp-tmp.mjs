const m=()=>{globalThis.gc();globalThis.gc();const u=process.memoryUsage();return [u.rss/1e6,u.heapUsed/1e6]};
for (const s of process.argv.slice(2)) { const a=m(); const t=process.cpuUsage(); await import(s); const c=process.cpuUsage(t); const b=m(); console.log(s.replace('/work/main/',''), 'rss +'+(b[0]-a[0]).toFixed(1), 'heap +'+(b[1]-a[1]).toFixed(1), ((c.user+c.system)/1000).toFixed(0)+'ms'); }
console.log(m().map(x=>x.toFixed(1)).join(' '));
