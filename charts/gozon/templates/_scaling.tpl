{{/* Who says how many replicas of a role there are. They take a dict of `root`, `component` and `role`. */}}

{{/* Whether something other than this chart scales it: an HPA, an OutboxRelay, or what the chart knows nothing of. */}}
{{- define "gozon.isScaled" -}}
{{- $values := index .root.Values.roles .role.values }}
{{- if or $values.autoscaling.enabled $values.scaledElsewhere (dig "outboxRelay" "enabled" false $values) }}true{{ end }}
{{- end }}

{{/*
The number of replicas, where the chart says it. What something else scales has none; but until that has written a number itself,
the one there is stays: a field that Helm takes away and nobody else has written falls back to 1, and relays would end that
nobody has asked to.
*/}}
{{- define "gozon.replicas" -}}
{{- if include "gozon.isScaled" . }}
{{- $name := printf "%s-%s" (include "gozon.fullname" .root) .component }}
{{- $live := lookup "apps/v1" "Deployment" .root.Release.Namespace $name }}
{{- $written := false }}
{{- range dig "metadata" "managedFields" list $live }}
{{- if eq (dig "subresource" "" .) "scale" }}
{{- $written = true }}
{{- end }}
{{- end }}
{{- if and $live (not $written) }}
{{- $live.spec.replicas }}
{{- end }}
{{- else }}
{{- index .root.Values.roles .role.values "replicas" }}
{{- end }}
{{- end }}
