# The container of a release: the static program, and git to fetch with. Built by .github/workflows/release.yml, which
# puts the programs into programs/amd64 and programs/arm64.
FROM alpine:3.22
RUN apk add --no-cache git
ARG TARGETARCH
COPY --chmod=755 programs/${TARGETARCH}/keycull /usr/local/bin/keycull
# Repositories that are mounted belong to somebody else.
RUN git config --system --add safe.directory '*'
WORKDIR /repository
ENTRYPOINT ["keycull"]
CMD ["scan"]
