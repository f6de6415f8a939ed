import { BlockList, isIP } from 'node:net';

/** Everything in IANA's special-purpose registries (RFC 6890 and successors) that is not globally reachable unicast. */
const IPV4_RESERVED = [
  '0.0.0.0/8', // this network
  '10.0.0.0/8', // private
  '100.64.0.0/10', // carrier-grade NAT
  '127.0.0.0/8', // loopback
  '169.254.0.0/16', // link-local, cloud metadata
  '172.16.0.0/12', // private
  '192.0.0.0/24', // protocol assignments
  '192.0.2.0/24', // documentation
  '192.31.196.0/24', // AS112
  '192.52.193.0/24', // AMT
  '192.88.99.0/24', // 6to4 relays
  '192.168.0.0/16', // private
  '192.175.48.0/24', // AS112
  '198.18.0.0/15', // benchmarks
  '198.51.100.0/24', // documentation
  '203.0.113.0/24', // documentation
  '224.0.0.0/4', // multicast
  '240.0.0.0/4', // reserved, broadcast
];

/** Globally reachable IPv6 unicast is within 2000::/3; of that, these are not, or lead to an IPv4 address of someone's choice. */
const IPV6_GLOBAL = '2000::/3';
const IPV6_RESERVED = [
  '2001::/23', // protocol assignments, Teredo
  '2001:db8::/32', // documentation
  '2002::/16', // 6to4
  '2620:4f:8000::/48', // AS112
  '3fff::/20', // documentation
  '5f00::/16', // segment routing
];

const reserved4 = blockList('ipv4', IPV4_RESERVED);
const reserved6 = blockList('ipv6', IPV6_RESERVED);
const global6 = blockList('ipv6', [IPV6_GLOBAL]);

/**
 * Whether an IP address, as DNS returns it, is one of the public internet. Private, loopback, link-local, unique-local,
 * multicast, NAT and IPv4-mapped addresses are not, and neither is what is no IP address at all.
 */
export function isPublicAddress(address: string): boolean {
  switch (isIP(address)) {
    case 4:
      return !reserved4.check(address, 'ipv4');
    case 6:
      return !address.includes('%') && global6.check(address, 'ipv6') && !reserved6.check(address, 'ipv6');
    default:
      return false;
  }
}

function blockList(family: 'ipv4' | 'ipv6', subnets: readonly string[]): BlockList {
  const list = new BlockList();
  for (const subnet of subnets) {
    const [network = '', prefix] = subnet.split('/');
    list.addSubnet(network, Number(prefix), family);
  }
  return list;
}
