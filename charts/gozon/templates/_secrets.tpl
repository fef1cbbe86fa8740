{{/*
Where each secret is: its variable in the executable, its Secret and the key in it. A login or user without a Secret of its
own is the owner, also by the name that is granted to.
*/}}
{{- define "gozon.secrets" -}}
{{- range $database := list "orders" "payments" }}
{{- $logins := index $.Values.databases $database }}
{{- range $login := list "owner" "api" "writer" "relay" "audit" }}
{{- $own := index $logins $login }}
{{- $used := ternary $own $logins.owner (ne $own.existingSecret "") }}
{{ $database }}-{{ $login }}:
  variable: GOZON_{{ upper $database }}_{{ upper $login }}_URL
  secret: {{ $used.existingSecret }}
  key: {{ $used.key }}
  role: {{ $used.role }}
{{- end }}
{{- end }}
{{- range $user := list "owner" "relay" "service" }}
{{- $own := index $.Values.broker $user }}
{{- $used := ternary $own $.Values.broker.owner (ne $own.existingSecret "") }}
broker-{{ $user }}:
  variable: GOZON_AMQP_{{ upper $user }}_URL
  secret: {{ $used.existingSecret }}
  key: {{ $used.key }}
{{- end }}
session-keys:
  variable: GOZON_SESSION_KEYS
  secret: {{ ternary (printf "%s-session" (include "gozon.fullname" .)) .Values.session.existingSecret .Values.session.generate }}
  key: {{ .Values.session.key }}
{{- if .Values.operators.enabled }}
operator-token:
  variable: GOZON_OPERATOR_TOKEN
  secret: {{ ternary (printf "%s-operators" (include "gozon.fullname" .)) .Values.operators.existingSecret .Values.operators.generate }}
  key: {{ .Values.operators.key }}
{{- end }}
{{- if eq .Values.identity.mode "oidc" }}
oidc-client-secret:
  variable: GOZON_OIDC_CLIENT_SECRET
  secret: {{ .Values.identity.oidc.existingSecret }}
  key: {{ .Values.identity.oidc.key }}
{{- end }}
{{- if .Values.smoke.existingSecret }}
customer-token:
  variable: GOZON_TOKEN
  secret: {{ .Values.smoke.existingSecret }}
  key: {{ .Values.smoke.key }}
{{- end }}
{{- end }}

{{/* Logins and users that are the owner for want of a Secret, as words. */}}
{{- define "gozon.ownersLogins" -}}
{{- $found := list }}
{{- range $database := list "orders" "payments" }}
{{- range $login := list "api" "writer" "relay" "audit" }}
{{- if not (index $.Values.databases $database $login "existingSecret") }}
{{- $found = append $found (printf "databases.%s.%s" $database $login) }}
{{- end }}
{{- end }}
{{- end }}
{{- join ", " $found }}
{{- end }}

{{- define "gozon.ownersUsers" -}}
{{- $found := list }}
{{- range $user := list "relay" "service" }}
{{- if not (index $.Values.broker $user "existingSecret") }}
{{- $found = append $found (printf "broker.%s" $user) }}
{{- end }}
{{- end }}
{{- join ", " $found }}
{{- end }}

{{/*
A sum over the Secrets that a pod mounts, so that an upgrade after a key was changed restarts it: the executable reads its
secrets and whom to trust once. What the chart made up itself never changes, and would differ between the first install and the next upgrade.
Takes a dict of `root` and `ids`.
*/}}
{{- define "gozon.secretsChecksum" -}}
{{- $root := .root }}
{{- $secrets := fromYaml (include "gozon.secrets" .root) }}
{{- $contents := list }}
{{- $made := list }}
{{- if .root.Values.session.generate }}{{ $made = append $made "session-keys" }}{{ end }}
{{- if .root.Values.operators.generate }}{{ $made = append $made "operator-token" }}{{ end }}
{{- range .ids }}
{{- with ternary dict (index $secrets .) (has . $made) }}
{{- $contents = append $contents (lookup "v1" "Secret" $root.Release.Namespace .secret | dig "data" .key "") }}
{{- end }}
{{- end }}
{{- with $root.Values.trust }}
{{- range $kind, $name := dict "Secret" .existingSecret "ConfigMap" .existingConfigMap }}
{{- with $name }}
{{- $contents = append $contents (lookup "v1" $kind $root.Release.Namespace . | dig "data" $root.Values.trust.key "") }}
{{- end }}
{{- end }}
{{- end }}
{{- toJson $contents | sha256sum }}
{{- end }}
