{{/*
The connections that are allowed: of each role, and of each thing that it asks. They take the root, or a dict of `root`,
`component` and `role`.
*/}}

{{- define "gozon.roleIngress" -}}
{{- if .role.public }}
- ports: [{port: http}]
  {{- with .root.Values.networkPolicy.publicFrom }}
  from:
    {{- toYaml . | nindent 4 }}
    - podSelector:
        matchLabels: {{- include "gozon.selector" (dict "root" $.root "component" "smoke") | nindent 10 }}
    {{- if and $.root.Values.operators.enabled (has $.component (list "order" "payment")) }}
    # The operator, which asks them as any operator does.
    - podSelector:
        matchLabels: {app.kubernetes.io/part-of: gozon, app.kubernetes.io/component: operator}
    {{- end }}
  {{- end }}
{{- end }}
{{- with .root.Values.networkPolicy.metricsFrom }}
- ports: [{port: admin}]
  from: {{- toYaml . | nindent 4 }}
{{- end }}
{{- end }}

{{- define "gozon.roleEgress" -}}
{{- with .role.database }}
{{ include "gozon.databaseRule" (index $.root.Values.databases .) }}
{{- end }}
{{- if .role.broker }}
{{ include "gozon.brokerRule" .root }}
{{- end }}
{{- with include "gozon.collectorRule" .root }}
{{ . }}
{{- end }}
{{- if and (eq .component "web") (eq .root.Values.identity.mode "oidc") }}
- ports: [{port: {{ include "gozon.urlPort" .root.Values.identity.oidc.issuer }}}]
  {{- include "gozon.peers" .root.Values.identity.oidc.networkPolicyPeers }}
{{- end }}
{{- end }}

{{/* Rules, or an empty list where there are none: that is what denies. */}}
{{- define "gozon.rules" -}}
{{- default "[]" (trim .) }}
{{- end }}

{{- define "gozon.databaseRule" -}}
- ports: [{port: {{ .port }}}]
  {{- include "gozon.peers" .networkPolicyPeers }}
{{- end }}

{{- define "gozon.brokerRule" -}}
- ports: [{port: {{ .Values.broker.port }}}]
  {{- include "gozon.peers" .Values.broker.networkPolicyPeers }}
{{- end }}

{{- define "gozon.collectorRule" -}}
{{- with .Values.telemetry.otlpEndpoint -}}
- ports: [{port: {{ include "gozon.urlPort" . }}}]
  {{- include "gozon.peers" $.Values.telemetry.networkPolicyPeers }}
{{- end }}
{{- end }}
{{/* Whom a rule allows; without anybody, everybody on its port. */}}
{{- define "gozon.peers" -}}
{{- with . }}
  to: {{- toYaml . | nindent 4 }}
{{- end }}
{{- end }}

{{/* The port of an address, also where it is not said. */}}
{{- define "gozon.urlPort" -}}
{{- $url := urlParse . }}
{{- $port := regexFind ":[0-9]+$" $url.host | trimPrefix ":" }}
{{- default (ternary "443" "80" (eq $url.scheme "https")) $port }}
{{- end }}
