# syntax=docker/dockerfile:1
# The server and what browsers get of it. With BuildKit, whose caches keep a second build short.

FROM node:20-bookworm-slim AS node

FROM rust:1.95.0-bookworm AS build
# Not the one that rust-toolchain.toml would fetch.
ENV RUSTUP_TOOLCHAIN=1.95.0
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
COPY --from=node /usr/local/bin/node /usr/local/bin/node
COPY --from=node /usr/local/lib/node_modules /usr/local/lib/node_modules
RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm \
    && rustup target add wasm32-unknown-unknown
WORKDIR /src
ENV TIDINGS_CACHE=/opt/tidings
# cargo-leptos, wasm-bindgen and wasm-opt: built again only where their versions change.
COPY Cargo.lock ./
COPY scripts/lib.sh scripts/tools.sh scripts/
RUN scripts/tools.sh
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=cache,target=/src/target,sharing=locked \
    rm -f target/front.stamp \
    && scripts/front.sh \
    && cargo build --release --locked --bin tidings \
    && mkdir -p /out/app /out/data \
    && cp -r target/release/tidings target/release/hash.txt target/site /out/app

FROM debian:bookworm-slim
COPY --from=build /out/app /app
# Whom mail and push servers are certified by; SSL_CERT_FILE names another bundle.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
# The one place that is written to, and only with SQLite.
COPY --from=build --chown=65532:65532 /out/data /data
ENV PATH=/app:$PATH \
    LEPTOS_SITE_ADDR=0.0.0.0:3000 \
    LEPTOS_SITE_ROOT=/app/site \
    LEPTOS_HASH_FILES=true \
    DATABASE_URL=sqlite:///data/tidings.db
USER 65532:65532
WORKDIR /data
VOLUME /data
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=6s --start-period=30s CMD ["tidings", "healthcheck"]
ENTRYPOINT ["tidings"]
CMD ["serve"]
