// tokens.mjs: user tokens for tests, good ones and every bad kind.
import { createHmac } from 'node:crypto';

const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
const now = () => Math.floor(Date.now() / 1000);

export function sign(header, claims, secret) {
  const text = `${encode(header)}.${encode(claims)}`;
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
}

// A good token of this user; `claims` are added to it.
export function mint(secret, user, claims = {}) {
  const all = { sub: user, name: `Name of ${user}`, iat: now(), exp: now() + 3600, ...claims };
  return sign({ alg: 'HS256', typ: 'JWT' }, all, secret);
}

// [what is wrong, token or null, reason word]
export function badTokens(secret, user) {
  const good = mint(secret, user);
  const [header, claims, signature] = good.split('.');
  const noExpiry = { sub: user, iat: now() };
  const hs256 = { alg: 'HS256', typ: 'JWT' };
  return [
    ['no token', null, 'TOKEN_MISSING'],
    ['an empty token', '', 'TOKEN_MISSING'],
    ['garbage', 'no-token-at-all', 'TOKEN_INVALID'],
    ['garbage in three parts', 'a.b.c', 'TOKEN_INVALID'],
    ['a token that is over', mint(secret, user, { exp: now() - 120 }), 'TOKEN_EXPIRED'],
    ['alg none', `${encode({ alg: 'none' })}.${claims}.`, 'TOKEN_INVALID'],
    [
      'alg none with a signature',
      `${encode({ alg: 'none' })}.${claims}.${signature}`,
      'TOKEN_INVALID',
    ],
    ['the wrong key', mint('another-secret-of-more-than-32-bytes', user), 'TOKEN_INVALID'],
    [
      'another algorithm',
      sign({ alg: 'HS512', typ: 'JWT' }, { ...noExpiry, exp: now() + 60 }, secret),
      'TOKEN_INVALID',
    ],
    ['no expiry', sign(hs256, noExpiry, secret), 'TOKEN_INVALID'],
    ['no user', sign(hs256, { exp: now() + 60 }, secret), 'TOKEN_INVALID'],
    [
      'a crit header',
      sign({ ...hs256, crit: ['x'] }, { ...noExpiry, exp: now() + 60 }, secret),
      'TOKEN_INVALID',
    ],
    [
      'changed claims',
      `${header}.${encode({ sub: 'root', exp: now() + 60 })}.${signature}`,
      'TOKEN_INVALID',
    ],
    ['more than 8 KiB', mint(secret, user, { padding: 'x'.repeat(9000) }), 'TOKEN_INVALID'],
  ];
}
