{{- define "dstack.name" -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- define "dstack.labels" -}}
app.kubernetes.io/name: dstack
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}
