# Builds dist/, then keeps only what runs it. The same image serves every role: `docker run … pingr api`.
FROM node:20-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --include=dev
COPY tsconfig.json tsconfig.build.json ./
COPY src src
RUN npm run build && npm prune --omit=dev

FROM node:20-slim
ENV NODE_ENV=production LOG_FORMAT=json PINGR_DATA_DIR=/data
WORKDIR /app
RUN mkdir /data && chown node:node /data
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY package.json LICENSE ./
COPY migrations migrations
USER node
VOLUME /data
EXPOSE 3000
# exec form: signals reach the program, which closes in order.
ENTRYPOINT ["node", "--enable-source-maps", "dist/main.js"]
CMD ["all"]
