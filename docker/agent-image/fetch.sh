#!/bin/sh
# fetch PREFIX PACKAGE: puts that npm package and what it needs below PREFIX, without running anything of it.
set -eu
if [ -f /build/build-ca.crt ]; then export NODE_EXTRA_CA_CERTS=/build/build-ca.crt npm_config_cafile=/build/build-ca.crt; fi
if [ -n "${NPM_REGISTRY:-}" ]; then export npm_config_registry="$NPM_REGISTRY"; fi
npm install --global --prefix "$1" --ignore-scripts --no-audit --no-fund --no-update-notifier "$2"
rm -rf /root/.npm
