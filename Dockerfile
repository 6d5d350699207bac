# syntax=docker/dockerfile:1
FROM node:22-slim AS build
WORKDIR /service
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY tsconfig.json tsconfig.build.json ./
COPY app ./app
RUN npm run build && npm prune --omit=dev

FROM node:22-slim
ENV NODE_ENV=production
WORKDIR /service
COPY --from=build /service/node_modules ./node_modules
COPY --from=build /service/dist ./dist
COPY package.json LICENSE ./
COPY manifests ./manifests
# The only place that is written to: embedded queue store, spool, generated key, local tables.
RUN mkdir data && chown node:node data
VOLUME /service/data
USER node
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=6 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT || 8080}/health`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
# Node itself, not npm: signals must reach it, or a stop would lose its grace.
CMD ["node", "--enable-source-maps", "dist/main.js"]
