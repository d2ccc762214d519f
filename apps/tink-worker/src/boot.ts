// Starts main.js with V8's compile cache, which a bundle cannot switch on for itself. Node before 22.1 just starts it.
import * as nodeModule from 'node:module';
import { join } from 'node:path';

const { enableCompileCache } = nodeModule as { enableCompileCache?: (directory: string) => unknown };

enableCompileCache?.(process.env.NODE_COMPILE_CACHE ?? join(__dirname, 'compile-cache'));
nodeModule.createRequire(__filename)('./main.js');
