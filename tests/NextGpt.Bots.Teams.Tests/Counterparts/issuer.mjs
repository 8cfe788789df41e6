// Two OpenID providers with one name and different keys: the second stands for the first after its keys were changed.
// A token is asked for by client credentials; its resource says what is to be in it:
// https://token.test/AUDIENCE?serviceurl=...&ttl=SECONDS&alg=RS256
import { generateKeyPairSync } from 'node:crypto';
import { Provider } from 'oidc-provider';

const issuer = 'https://issuer.test';

function keysOf(name) {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' });
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' });
  return { keys: [{ ...rsa, kid: `${name}-rsa`, use: 'sig' }, { ...ec, kid: `${name}-ec`, use: 'sig' }] };
}

function providerOf(name) {
  const provider = new Provider(issuer, {
    jwks: keysOf(name),
    clients: [{
      client_id: 'service', client_secret: 'secret', grant_types: ['client_credentials'], redirect_uris: [], response_types: [],
    }],
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (ctx, resource) => {
          const wanted = new URL(resource);
          const alg = wanted.searchParams.get('alg') ?? 'RS256';
          return {
            scope: '',
            audience: wanted.pathname.slice(1),
            accessTokenTTL: Number(wanted.searchParams.get('ttl') ?? 3600),
            accessTokenFormat: 'jwt',
            jwt: { sign: alg === 'HS256' ? { alg, key: 'a public word that everybody knows, 32 bytes' } : { alg } },
          };
        },
      },
    },
    extraTokenClaims: (ctx, token) => {
      const serviceUrl = new URL(token.resourceServer.identifier()).searchParams.get('serviceurl');
      return serviceUrl === null ? undefined : { serviceurl: serviceUrl };
    },
  });
  return new Promise((resolve) => {
    const server = provider.listen(0, '127.0.0.1', () => resolve(server.address().port));
  });
}

console.log(`ready ${await providerOf('first')} ${await providerOf('second')}`);
