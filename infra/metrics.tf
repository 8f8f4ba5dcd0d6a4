locals {
  # Taken from the canonical log lines (docs/operating.md): `kind` says whose line it is. A field makes a distribution,
  # its smallest bucket `scale`; without one the lines are counted.
  metrics = {
    call_cost   = { kind = "call", field = "cost", unit = "USD", scale = 0.01 }
    calls       = { kind = "call", labels = ["end_reason"] }
    calls_live  = { kind = "relay", field = "calls_live", unit = "1", scale = 1 }
    dead_air_ms = { kind = "turn", field = "dead_air_ms", unit = "ms", scale = 50 }
    requests    = { kind = "request", labels = ["status", "category"] }
    room        = { kind = "relay", field = "room", unit = "1", scale = 1 }
    stuck       = { kind = "sweep", field = "stuck", unit = "1", scale = 1 }
    turn_gap_ms = { kind = "turn", field = "turn_gap_ms", unit = "ms", scale = 50 }
  }
}

resource "google_logging_metric" "this" {
  for_each = {
    for name, metric in local.metrics : name => merge({ field = null, unit = "1", scale = 1, labels = [] }, metric)
  }

  project = local.project
  name    = "floyd/${each.key}"
  filter = join(" AND ", compact([
    "resource.type=\"cloud_run_revision\"",
    "resource.labels.service_name=~\"^floyd-\"",
    "jsonPayload.kind=\"${each.value.kind}\"",
    each.value.field == null ? "" : "jsonPayload.${each.value.field}>=0",
  ]))
  value_extractor  = each.value.field == null ? null : "EXTRACT(jsonPayload.${each.value.field})"
  label_extractors = { for label in each.value.labels : label => "EXTRACT(jsonPayload.${label})" }

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = each.value.field == null ? "INT64" : "DISTRIBUTION"
    unit        = each.value.unit

    dynamic "labels" {
      for_each = each.value.labels
      content {
        key        = labels.value
        value_type = "STRING"
      }
    }
  }

  dynamic "bucket_options" { # 40 buckets, each a fifth wider: 1,500 times the first one
    for_each = each.value.field == null ? [] : [each.value.scale]
    content {
      exponential_buckets {
        num_finite_buckets = 40
        growth_factor      = 1.2
        scale              = bucket_options.value
      }
    }
  }
}
