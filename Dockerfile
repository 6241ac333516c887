# The gateway as an image. docs/docker.md says how it is run; test/ship runs these steps.
FROM node:24.21.0-slim AS base
WORKDIR /app
COPY package.json package-lock.json ./

# The database client, made by what only development needs.
FROM base AS generated
RUN npm ci --ignore-scripts
COPY prisma.config.ts ./
COPY prisma prisma
RUN npx prisma generate

# What runs needs. Prisma's command line is an optional peer of its client, so it goes with what is optional.
FROM base AS packages
RUN npm ci --omit=dev --omit=optional --ignore-scripts

FROM base AS production
COPY --from=packages /app/node_modules node_modules
COPY LICENSE ./
COPY prisma/migrations prisma/migrations
COPY bin bin
COPY src src
COPY --from=generated /app/src/database/generated src/database/generated
ENV NODE_ENV=production HOST=0.0.0.0 PORT=4000
# The image's user `node`. By number, so that Kubernetes sees that it is not root. All files are root's: it only reads them.
USER 1000:1000
EXPOSE 4000
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/health/ready`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
# The command line: `start` unless told otherwise. What is in the file counts where the environment has nothing.
ENTRYPOINT ["node", "--env-file-if-exists=/run/secrets/gateway.env", "src/cli/main.ts"]
CMD ["start"]
