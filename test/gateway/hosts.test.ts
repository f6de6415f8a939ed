import { describe, expect, test } from 'vitest';
import { isPublicAddress } from '../../src/gateway/addresses.ts';
import { hostRule, normalHost, splitAuthority } from '../../src/gateway/hosts.ts';

describe('host names', () => {
  test.each([
    ['Packages.Example.com', 'packages.example.com'],
    ['packages.example.com.', 'packages.example.com'],
    ['bücher.example', 'xn--bcher-kva.example'],
    ['_dmarc.example.com', '_dmarc.example.com'],
  ])('%s has the one normal form %s', (written, normal) => {
    expect(normalHost(written)).toBe(normal);
  });

  test.each([
    '127.0.0.1',
    '127.1',
    '2130706433',
    '0x7f000001',
    '0177.0.0.1',
    '0x7f.1',
    '[::1]',
    '::1',
    '[::ffff:127.0.0.1]',
    'fe80::1%eth0',
    '１２７.0.0.1',
    '',
    '.',
    'a..b',
    '-a.example',
    'a b.example',
    'user@example.com',
    'exa\u0000mple.com',
    `${'a'.repeat(64)}.example`,
    `${'a.'.repeat(127)}example`,
  ])('%j is no host name', (written) => {
    expect(normalHost(written)).toBeUndefined();
  });
});

describe('the list of allowed hosts', () => {
  const allows = hostRule(['allowed.com', '*.Example.org', 'BÜCHER.example']);

  test.each(['allowed.com', 'a.example.org', 'a.b.example.org', 'xn--bcher-kva.example'])('allows %s', (host) => {
    expect(allows(host)).toBe(true);
  });

  test.each(['allowed.com.evil.com', 'notallowed.com', 'a.allowed.com', 'example.org', 'evilexample.org', 'com'])(
    'does not allow %s',
    (host) => {
      expect(allows(host)).toBe(false);
    },
  );

  test.each(['10.0.0.1', '*', '*.', 'a.*.b', 'https://example.com', 'example.com:443'])(
    'cannot hold %j, and says so',
    (entry) => {
      expect(() => hostRule([entry])).toThrow(/is not a host name the gateway can allow/);
    },
  );
});

test.each(['example.com', 'example.com:', ':443', 'a:b:443', 'example.com:443/x', 'http://example.com:443', 'a@b:443'])(
  '%j is not of the form host:port',
  (authority) => {
    expect(splitAuthority(authority)).toBeUndefined();
  },
);

describe('addresses of the public internet', () => {
  test.each(['1.1.1.1', '93.184.215.14', '172.15.0.1', '172.32.0.1', '100.128.0.1', '2606:4700::1111', '2a00:1450::1'])(
    '%s is one',
    (address) => {
      expect(isPublicAddress(address)).toBe(true);
    },
  );

  test.each([
    '0.0.0.0',
    '10.1.2.3',
    '100.64.0.1',
    '127.0.0.1',
    '127.8.8.8',
    '169.254.169.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '198.18.0.1',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::ffff:93.184.215.14',
    '::ffff:7f00:1',
    '::7f00:1',
    '64:ff9b::7f00:1',
    '64:ff9b:1::1',
    '2001::1',
    '2001:db8::1',
    '2002:7f00:1::1',
    'fc00::1',
    'fd12:3456::1',
    'fe80::1',
    'fe80::1%eth0',
    'fec0::1',
    'ff02::1',
    'example.com',
    '',
    '127.1',
  ])('%j is not', (address) => {
    expect(isPublicAddress(address)).toBe(false);
  });
});
