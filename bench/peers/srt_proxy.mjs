// srt's own TLS-terminating proxy, outside of a sandbox, put together as its sandbox-manager.js does it.
//
//   node srt_proxy.mjs PACKAGE ADDRESS PORT CA-FILE UPSTREAM-CA      BENCH_HOST and BENCH_TOKEN in the environment
//
// The policy is a domain list and a filterRequest that judges path and method and sets the credential.
import { copyFileSync, readFileSync } from 'node:fs';

const [packageDirectory, address, port, caFile, upstreamCa] = process.argv.slice(2);
const load = name => import(`${packageDirectory}/dist/sandbox/${name}.js`);
const { createHttpProxyServer } = await load('http-proxy');
const { createMitmCA } = await load('mitm-ca');
const { createResolvedAddressGuard } = await load('resolved-address-guard');
const { matchesDomainPattern } = await load('domain-pattern');

const host = process.env.BENCH_HOST;
// The origin is on loopback, which a name may only mean where the address is allowed as well.
const guard = createResolvedAddressGuard({ allowedDomains: [host, address] });
const mitmCA = createMitmCA({});
const credential = ['authorization', `Bearer ${process.env.BENCH_TOKEN}`];
const server = createHttpProxyServer({
    filter: (_port, name) => matchesDomainPattern(name, host),
    mitmCA,
    shouldTerminateTLS: () => true,
    filterRequest: async (request, info) => {
        const path = info.requestTarget.split('?', 1)[0];
        const inside = path === '/v1' || path.startsWith('/v1/');
        return inside && (request.method === 'GET' || request.method === 'POST')
            ? { action: 'allow', setHeaders: [credential] }
            : { action: 'deny', reason: 'path or method' };
    },
    lookupFor: toPort => guard.lookupFor(toPort),
    tlsTerminateUpstreamCA: readFileSync(upstreamCa),
});
copyFileSync(mitmCA.certPath, caFile);
server.listen(Number(port), address);
process.once('SIGTERM', () => process.exit(0));
