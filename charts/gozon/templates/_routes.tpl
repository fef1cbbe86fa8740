{{/*
Which path leads to which role, longest first: a list of `path`, `component` and the Service's `port`. Everything else is
the page's.
*/}}
{{- define "gozon.routes" -}}
- {path: /api/v1/account, component: payment, port: http}
- {path: /api/v1/orders, component: order, port: http}
- {path: /api/v1/events, component: order, port: events}
{{- if eq .Values.profile "demo" }}
- {path: /api/payments, component: payment, port: http}
- {path: /api/orders/ws, component: order, port: events}
- {path: /api/orders, component: order, port: http}
- {path: /ws, component: order, port: events}
{{- end }}
{{- if and .Values.operators.enabled .Values.operators.public }}
- {path: /ops/v1/order, component: order, port: http}
- {path: /ops/v1/payment, component: payment, port: http}
{{- end }}
- {path: /, component: web, port: http}
{{- end }}
