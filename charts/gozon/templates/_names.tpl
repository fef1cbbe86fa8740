{{/* Names and labels. */}}

{{- define "gozon.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" }}
{{- end }}

{{/* The prefix of all names. The longest suffix, `-relay-payments`, has to fit behind it. */}}
{{- define "gozon.fullname" -}}
{{- $name := include "gozon.name" . }}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" }}
{{- else if contains $name .Release.Name }}
{{- .Release.Name | trunc 40 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "gozon.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "gozon.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{/* What selects pods; it can never be changed. Takes a dict of `root` and `component`. */}}
{{- define "gozon.selector" -}}
app.kubernetes.io/name: {{ include "gozon.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{/* Labels of pods: nothing that changes with the chart's version, or every upgrade would restart them all. */}}
{{- define "gozon.podLabels" -}}
{{ include "gozon.selector" . }}
app.kubernetes.io/part-of: gozon
{{- with .root.Values.pods.labels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* Labels of everything else. Takes a dict of `root` and, where there is one, `component`. */}}
{{- define "gozon.labels" -}}
app.kubernetes.io/name: {{ include "gozon.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{- with .component }}
app.kubernetes.io/component: {{ . }}
{{- end }}
app.kubernetes.io/part-of: gozon
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "gozon.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ default .Chart.AppVersion .Values.image.tag }}
{{- end }}
{{- end }}
