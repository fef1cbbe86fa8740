{{/*
The roles: by component the arguments, whose settings in the values, which databases it asks, which secrets it reads. All
that differs between Deployments, Services and NetworkPolicies of two roles is said here.
*/}}
{{- define "gozon.roles" -}}
order:
  args: [order]
  values: order
  public: true
  database: orders
  broker: true
  secrets: [orders-api, orders-writer, broker-service, session-keys{{ if .Values.operators.enabled }}, operator-token{{ end }}]
payment:
  args: [payment]
  values: payment
  public: true
  database: payments
  broker: true
  secrets: [payments-api, payments-writer, broker-service, session-keys{{ if .Values.operators.enabled }}, operator-token{{ end }}]
relay-orders:
  args: [relay, --database, orders]
  values: relayOrders
  public: false
  database: orders
  broker: true
  secrets: [orders-relay, broker-relay]
relay-payments:
  args: [relay, --database, payments]
  values: relayPayments
  public: false
  database: payments
  broker: true
  secrets: [payments-relay, broker-relay]
web:
  args: [web]
  values: web
  public: true
  database: ""
  broker: false
  secrets: [session-keys{{ if .Values.operators.enabled }}, operator-token{{ end }}{{ if eq .Values.identity.mode "oidc" }}, oidc-client-secret{{ end }}]
{{- end }}

{{/* Settings that every process reads. */}}
{{- define "gozon.commonSettings" -}}
- {name: GOZON_PROFILE, value: {{ .Values.profile }}}
{{- with .Values.log.filter }}
- {name: GOZON_LOG, value: {{ . | quote }}}
{{- end }}
{{- with .Values.log.format }}
- {name: GOZON_LOG_FORMAT, value: {{ . }}}
{{- end }}
{{- with .Values.databases.sslMode }}
- {name: PGSSLMODE, value: {{ . }}}
{{- end }}
{{- if include "gozon.trusts" . }}
- {name: SSL_CERT_FILE, value: /etc/gozon/trust/ca.crt}
{{- end }}
{{- end }}

{{/* Settings of one role. Takes a dict of `root`, `component` and `role`. */}}
{{- define "gozon.roleSettings" -}}
- {name: GOZON_BIND, value: "0.0.0.0"}
- {name: GOZON_GRACE_SECONDS, value: {{ .root.Values.stop.graceSeconds | quote }}}
{{- with .root.Values.telemetry }}
{{- if .otlpEndpoint }}
- {name: GOZON_OTLP_ENDPOINT, value: {{ .otlpEndpoint | quote }}}
- {name: GOZON_OTLP_PROTOCOL, value: {{ .otlpProtocol }}}
- {name: GOZON_TRACE_RATIO, value: {{ .traceRatio | quote }}}
{{- end }}
{{- end }}
{{- if and (eq .component "order") (eq .root.Values.profile "demo") }}
- {name: GOZON_ORDERS_EVERYONE_ROLE, value: {{ include "gozon.everyoneRole" .root }}}
{{- end }}
{{- if eq .component "web" }}
- {name: GOZON_IDENTITY, value: {{ .root.Values.identity.mode }}}
- {name: GOZON_SESSION_HOURS, value: {{ .root.Values.identity.sessionHours | quote }}}
{{- if eq .root.Values.identity.mode "oidc" }}
- {name: GOZON_OIDC_ISSUER, value: {{ .root.Values.identity.oidc.issuer | quote }}}
- {name: GOZON_OIDC_CLIENT_ID, value: {{ .root.Values.identity.oidc.clientId | quote }}}
{{- end }}
{{- end }}
{{- range $name, $value := index .root.Values.roles .role.values "settings" }}
- {name: {{ $name }}, value: {{ $value | toString | quote }}}
{{- end }}
{{- end }}

{{/* The role that may list everybody's orders: the owner may as well, where it is also the login that asks for it. */}}
{{- define "gozon.everyoneRole" -}}
{{- with .Values.databases.orders }}
{{- ternary .everyoneRole .owner.role (ne .api.existingSecret "") }}
{{- end }}
{{- end }}

{{- define "gozon.trusts" -}}
{{- or .Values.trust.existingSecret .Values.trust.existingConfigMap }}
{{- end }}

{{/* Where the secrets are in a container. Takes a dict of `root` and `ids`. */}}
{{- define "gozon.secretSettings" -}}
{{- $secrets := fromYaml (include "gozon.secrets" .root) }}
{{- range .ids }}
- {name: {{ index $secrets . "variable" }}_FILE, value: /etc/gozon/secrets/{{ . }}}
{{- end }}
{{- end }}

{{/* Mounts and volumes of secrets and certificates. They take a dict of `root` and `ids`. */}}
{{- define "gozon.mounts" -}}
{{- with .ids }}
- {name: secrets, mountPath: /etc/gozon/secrets, readOnly: true}
{{- end }}
{{- if include "gozon.trusts" .root }}
- {name: trust, mountPath: /etc/gozon/trust, readOnly: true}
{{- end }}
{{- end }}

{{- define "gozon.volumes" -}}
{{- $secrets := fromYaml (include "gozon.secrets" .root) }}
{{- with .ids }}
- name: secrets
  projected:
    defaultMode: 0440
    sources:
      {{- range . }}
      {{- $secret := index $secrets . }}
      - secret:
          name: {{ $secret.secret }}
          items: [{key: {{ $secret.key | quote }}, path: {{ . }}}]
      {{- end }}
{{- end }}
{{- with .root.Values.trust }}
{{- if or .existingSecret .existingConfigMap }}
- name: trust
  {{- if .existingSecret }}
  secret: {secretName: {{ .existingSecret }}, defaultMode: 0444, items: [{key: {{ .key | quote }}, path: ca.crt}]}
  {{- else }}
  configMap: {name: {{ .existingConfigMap }}, defaultMode: 0444, items: [{key: {{ .key | quote }}, path: ca.crt}]}
  {{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/* What every pod has: nobody's token, no root, nothing that can be written. */}}
{{- define "gozon.podSettings" -}}
serviceAccountName: {{ include "gozon.serviceAccountName" . }}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  fsGroup: 65532
  seccompProfile: {type: RuntimeDefault}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- with .Values.pods.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .Values.pods.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.pods.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.pods.affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "gozon.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}
