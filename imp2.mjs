globalThis.gc(); const a=process.memoryUsage(); const t=process.cpuUsage();
const { createRequire } = await import('node:module'); const k = createRequire(import.meta.url)(process.argv[2]); 
const c=process.cpuUsage(t); globalThis.gc(); const b=process.memoryUsage(); console.log(process.argv[2], ((b.rss-a.rss)/1e6).toFixed(1), ((b.heapUsed-a.heapUsed)/1e6).toFixed(1), ((c.user+c.system)/1000).toFixed(0)+'ms', Object.keys(k).length);
