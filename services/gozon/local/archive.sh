# shellcheck shell=bash
# A docker-archive from a folder, without a container engine. The same files, name and settings give the same bytes,
# whoever made it and when.

# Packs the folder $1 as the image $2 into the file $3. $4 is the image's configuration as JSON: what is inside its outer
# braces, less the layers.
pack_image() {
  local root=$1 name=$2 archive=$3 configuration=$4 parts layer id config
  parts=$(mktemp -d)
  layer=$parts/layer
  steady_tar "$root" >"$layer"
  id=$(sum_of "$layer")
  printf '{%s,"rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' "$configuration" "$id" >"$parts/config"
  config=$(sum_of "$parts/config")
  mkdir -p "$parts/image/$id"
  mv "$layer" "$parts/image/$id/layer.tar"
  mv "$parts/config" "$parts/image/$config.json"
  printf '[{"Config":"%s.json","RepoTags":["%s"],"Layers":["%s/layer.tar"]}]' "$config" "$name" "$id" \
    >"$parts/image/manifest.json"
  # A reader sees the old file or the new one, never half of one.
  steady_tar "$parts/image" >"$archive.new"
  mv "$archive.new" "$archive"
  rm -rf "$parts"
}

# Everything in a folder, sorted, without owners and times; modes without what the maker's umask took or left.
steady_tar() {
  (cd "$1" && LC_ALL=C tar --create --format=gnu --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner \
    --mode=u+rw,go-w -- *)
}

sum_of() {
  sha256sum "$1" | cut -d ' ' -f 1
}
