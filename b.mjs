import {buildSync} from 'esbuild';
buildSync({entryPoints:['/work/wt/sys/bench/machine/ours.ts'],outfile:process.argv[2],bundle:true,platform:'node',format:'cjs',target:'node20'});
