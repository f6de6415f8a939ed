# The service itself: the app and the worker are one image with two commands. Agents never run in here; theirs is
# docker/agent-image. Build from the root of the repository: docker build -f docker/server.Dockerfile -t maestro-server .
FROM node:24-bookworm-slim AS packages
WORKDIR /srv/maestro
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --no-audit --no-fund

FROM node:24-bookworm-slim
# git: mirrors, ingesting packs, pushing. ca-certificates: git's own, for HTTPS.
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates git \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /srv/maestro
ENV NODE_ENV=production HOST=0.0.0.0 PORT=3000 MAESTRO_HOME=/var/lib/maestro
COPY --from=packages /srv/maestro/node_modules ./node_modules
COPY package.json ./
COPY src ./src
# What every session is given to speak to us with.
COPY docker/agent-image/maestro.sh ./docker/agent-image/maestro.sh
RUN install -d -o node -g node -m 0700 /var/lib/maestro
USER node
EXPOSE 3000
# Sources run directly; there is nothing to build.
CMD ["node", "--max-semi-space-size=8", "src/app/main.ts"]
