{{/* Names, labels and what every pod has. */}}

{{- define "deps.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" }}
{{- end }}

{{- define "deps.fullname" -}}
{{- $name := include "deps.name" . }}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" }}
{{- else if contains $name .Release.Name }}
{{- .Release.Name | trunc 40 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{/* They take a dict of `root` and `component`. */}}
{{- define "deps.selector" -}}
app.kubernetes.io/name: {{ include "deps.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "deps.labels" -}}
{{ include "deps.selector" . }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- end }}

{{/* Name, labels of an object. */}}
{{- define "deps.metadata" -}}
name: {{ include "deps.fullname" .root }}-{{ .component }}
labels: {{- include "deps.labels" . | nindent 2 }}
{{- end }}

{{- define "deps.image" -}}
{{- $image := index .root.Values.images .component }}
{{- $registry := default $image.registry .root.Values.imageRegistry }}
image: {{ with $registry }}{{ . }}/{{ end }}{{ $image.repository }}:{{ $image.tag }}
imagePullPolicy: {{ .root.Values.imagePullPolicy }}
{{- end }}

{{/* Takes also `user`, the user and group id. */}}
{{- define "deps.podSettings" -}}
automountServiceAccountToken: {{ eq .component "prometheus" }}
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: {{ .user }}
  runAsGroup: {{ .user }}
  fsGroup: {{ .user }}
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: {type: RuntimeDefault}
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- end }}

{{- define "deps.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{/* Claims of a StatefulSet's volume. Take a dict of `persistence`. */}}
{{- define "deps.claim" -}}
metadata: {name: data}
spec:
  accessModes: [ReadWriteOnce]
  {{- if eq .storageClass "-" }}
  storageClassName: ""
  {{- else if .storageClass }}
  storageClassName: {{ .storageClass }}
  {{- end }}
  resources: {requests: {storage: {{ .size }}}}
{{- end }}
