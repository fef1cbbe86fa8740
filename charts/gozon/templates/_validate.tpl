{{/* What contradicts itself, said in words: the schema can only refuse it. */}}
{{- define "gozon.validate" -}}
{{- $wrong := list }}
{{- with .Values }}
{{- if eq .profile "production" }}
{{- if eq .identity.mode "demo" }}
{{- $wrong = append $wrong "identity.mode is demo, where anybody may sign in as anyone, and profile is production: set identity.mode=none or oidc, or profile=demo if this is one" }}
{{- end }}
{{- if .session.generate }}
{{- $wrong = append $wrong "session.generate makes up keys that only a demo may have: put your own into a Secret and name it in session.existingSecret" }}
{{- end }}
{{- if .operators.generate }}
{{- $wrong = append $wrong "operators.generate makes up a token that only a demo may have: put your own into a Secret and name it in operators.existingSecret" }}
{{- end }}
{{- end }}
{{- if and .session.generate .session.existingSecret }}
{{- $wrong = append $wrong "session.generate and session.existingSecret are both set: choose one" }}
{{- end }}
{{- if not (or .session.generate .session.existingSecret) }}
{{- $wrong = append $wrong "no role starts without the keys that sign sessions: name their Secret in session.existingSecret" }}
{{- end }}
{{- if and .operators.generate .operators.existingSecret }}
{{- $wrong = append $wrong "operators.generate and operators.existingSecret are both set: choose one" }}
{{- end }}
{{- if and .operators.enabled (not (or .operators.generate .operators.existingSecret)) }}
{{- $wrong = append $wrong "operators.enabled needs a token: name its Secret in operators.existingSecret" }}
{{- end }}
{{- if and (not .operators.enabled) (or .operators.generate .operators.existingSecret) }}
{{- $wrong = append $wrong "operators has a token, but operators.enabled is false: nobody could use it" }}
{{- end }}
{{- if and (eq .identity.mode "oidc") (not (and .identity.oidc.issuer .identity.oidc.clientId .identity.oidc.existingSecret)) }}
{{- $wrong = append $wrong "identity.mode is oidc, which needs identity.oidc.issuer, identity.oidc.clientId and identity.oidc.existingSecret" }}
{{- end }}
{{- if and (ne .identity.mode "oidc") (or .identity.oidc.issuer .identity.oidc.clientId .identity.oidc.existingSecret) }}
{{- $wrong = append $wrong (printf "identity.oidc is set, but identity.mode is %s: nobody would ask that provider" .identity.mode) }}
{{- end }}
{{- $logins := include "gozon.ownersLogins" $ }}
{{- if and .databases.requireSeparateLogins $logins }}
{{- $wrong = append $wrong (printf "databases.requireSeparateLogins is true, and these have no existingSecret, so they would be the owner, who may do anything: %s" $logins) }}
{{- end }}
{{- $users := include "gozon.ownersUsers" $ }}
{{- if and .broker.requireSeparateUsers $users }}
{{- $wrong = append $wrong (printf "broker.requireSeparateUsers is true, and these have no existingSecret, so they would be the owner, who may do anything: %s" $users) }}
{{- end }}
{{- if not (regexMatch "^(sha256:[0-9a-f]{64})?$" .image.digest) }}
{{- $wrong = append $wrong (printf "image.digest is %q, and a digest looks like sha256:0123… with 64 hexadecimal digits" .image.digest) }}
{{- end }}
{{- range $name, $address := dict "telemetry.otlpEndpoint" .telemetry.otlpEndpoint "smoke.url" .smoke.url "identity.oidc.issuer" .identity.oidc.issuer }}
{{- if not (regexMatch "^(https?://[^/ ]+.*)?$" $address) }}
{{- $wrong = append $wrong (printf "%s is %q, and an address begins with http:// or https://" $name $address) }}
{{- end }}
{{- end }}
{{- if and .trust.existingSecret .trust.existingConfigMap }}
{{- $wrong = append $wrong "trust.existingSecret and trust.existingConfigMap are both set: choose one" }}
{{- end }}
{{- if and .httpRoute.enabled (not .httpRoute.parentRefs) }}
{{- $wrong = append $wrong "httpRoute.enabled needs a gateway in httpRoute.parentRefs" }}
{{- end }}
{{- range $name, $role := .roles }}
{{- if gt (int $role.autoscaling.minReplicas) (int $role.autoscaling.maxReplicas) }}
{{- $wrong = append $wrong (printf "roles.%s.autoscaling.minReplicas is above maxReplicas" $name) }}
{{- end }}
{{- with $role.outboxRelay }}
{{- if gt (int .minReplicas) (int .maxReplicas) }}
{{- $wrong = append $wrong (printf "roles.%s.outboxRelay.minReplicas is above maxReplicas" $name) }}
{{- end }}
{{- if and .enabled (not $.Values.operators.enabled) }}
{{- $wrong = append $wrong (printf "roles.%s.outboxRelay.enabled needs operators.enabled: without the operators' token nobody may ask how long events wait" $name) }}
{{- end }}
{{- end }}
{{- if not (or $role.autoscaling.enabled $role.scaledElsewhere (dig "outboxRelay" "enabled" false $role) (lt (int $role.maxUnavailable) (max 2 (int $role.replicas)))) }}
{{- $wrong = append $wrong (printf "roles.%s.maxUnavailable is %d of %d replicas: an eviction could take them all" $name (int $role.maxUnavailable) (int $role.replicas)) }}
{{- end }}
{{- range $variable, $_ := $role.settings }}
{{- if not (regexMatch "^GOZON_[A-Z0-9_]+$" $variable) }}
{{- $wrong = append $wrong (printf "roles.%s.settings.%s is no variable of the executable: they begin with GOZON_" $name $variable) }}
{{- else if regexMatch "_(URL|TOKEN|KEYS|SECRET|FILE)$" $variable }}
{{- $wrong = append $wrong (printf "roles.%s.settings.%s is a secret, and everybody who may see a pod sees its variables: put it into a Secret and name that in existingSecret" $name $variable) }}
{{- else if has $variable (list "GOZON_PROFILE" "GOZON_BIND" "GOZON_PORT" "GOZON_ADMIN_PORT" "GOZON_GRACE_SECONDS" "GOZON_IDENTITY" "GOZON_SESSION_HOURS" "GOZON_OTLP_ENDPOINT" "GOZON_OTLP_PROTOCOL" "GOZON_TRACE_RATIO" "GOZON_LOG" "GOZON_LOG_FORMAT" "GOZON_ORDERS_EVERYONE_ROLE" "GOZON_RELAY_DATABASE") }}
{{- $wrong = append $wrong (printf "roles.%s.settings sets %s, which the chart sets itself from another value" $name $variable) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- if $wrong }}
{{- fail (printf "\n\nThese values cannot be installed:\n  - %s\n" (join "\n  - " $wrong)) }}
{{- end }}
{{- end }}

{{/* Whether `helm test` can order at all: it needs to be somebody. */}}
{{- define "gozon.smokeTests" -}}
{{- if or (eq .Values.identity.mode "demo") .Values.smoke.existingSecret }}true{{ end }}
{{- end }}
