{{/* What contradicts itself, said in words: the schema can only refuse it. */}}
{{- define "operator.validate" -}}
{{- $wrong := list }}
{{- with .Values }}
{{- range $name, $address := dict "services.order.address" .services.order.address "services.payment.address" .services.payment.address }}
{{- if not (regexMatch "^https?://[^/ ]+.*$" $address) }}
{{- $wrong = append $wrong (printf "%s is %q, and an address begins with http:// or https://" $name $address) }}
{{- end }}
{{- end }}
{{- if not (regexMatch "^(https?://[^/ ]+.*)?$" .telemetry.otlpEndpoint) }}
{{- $wrong = append $wrong (printf "telemetry.otlpEndpoint is %q, and an address begins with http:// or https://" .telemetry.otlpEndpoint) }}
{{- end }}
{{- if not (regexMatch "^(sha256:[0-9a-f]{64})?$" .image.digest) }}
{{- $wrong = append $wrong (printf "image.digest is %q, and a digest looks like sha256:0123… with 64 hexadecimal digits" .image.digest) }}
{{- end }}
{{- if ge (int .maxUnavailable) (max 2 (int .replicas)) }}
{{- $wrong = append $wrong (printf "maxUnavailable is %d of %d replicas: an eviction could take them all" (int .maxUnavailable) (int .replicas)) }}
{{- end }}
{{- end }}
{{- if $wrong }}
{{- fail (printf "\n\nThese values cannot be installed:\n  - %s\n" (join "\n  - " $wrong)) }}
{{- end }}
{{- end }}
