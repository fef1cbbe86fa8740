// The ingress controller that the tests against a cluster go through.
module ingress

go 1.23.6

require github.com/zalando/skipper v0.22.0
