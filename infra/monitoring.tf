locals {
  # PromQL names of the metrics: the first slash becomes a colon, everything else an underscore.
  m        = { for name in keys(local.metrics) : name => "logging_googleapis_com:user_floyd_${name}" }
  of_floyd = "monitored_resource=\"cloud_run_revision\""
  errors   = "sum(rate(logging_googleapis_com:log_entry_count{${local.of_floyd},severity=~\"ERROR|CRITICAL\",service_name=~\"floyd-.*\"}[5m]))"
  spent    = "sum(increase(${local.m.call_cost}_sum{${local.of_floyd}}[1d]))"
  quantile = "histogram_quantile(%v, sum by (le) (rate(logging_googleapis_com:user_floyd_%s_bucket{${local.of_floyd}}[10m])))"
  live     = "sum(rate(${local.m.calls_live}_sum{${local.of_floyd}}[2m]) / rate(${local.m.calls_live}_count{${local.of_floyd}}[2m]))"
  capacity = min(var.max_calls, 80 * var.relay_shards) # 80 calls keep one core busy

  alerts = {
    errors = {
      says  = "More than one error in 100 s, for five minutes"
      query = "${local.errors} > 0.01"
      for   = "300s"
    }
    relay_room = {
      says  = "Calls fill more than four fifths of the lines for five minutes"
      query = "${local.live} > ${0.8 * local.capacity}"
      for   = "300s"
    }
    silent_sweeper = {
      says  = "No pass of the sweeper has ended for ten minutes"
      query = "absent_over_time(${local.m.stuck}_count{${local.of_floyd}}[10m])"
      for   = "0s"
    }
    spend = {
      says  = "Calls of the last 24 hours have cost more than four fifths of daily_spend"
      query = "${local.spent} > ${0.8 * var.daily_spend}"
      for   = "0s"
    }
    stuck_requests = {
      says  = "The sweeper has not been able to move a request on for five minutes"
      query = "sum(increase(${local.m.stuck}_sum{${local.of_floyd}}[5m])) > 0"
      for   = "120s"
    }
  }

  charts = [
    { title = "Turn gap (ms): p50, p95", queries = [for share in [0.5, 0.95] : format(local.quantile, share, "turn_gap_ms")] },
    { title = "Dead air (ms): p95, p99", queries = [for share in [0.95, 0.99] : format(local.quantile, share, "dead_air_ms")] },
    { title = "Calls live", queries = [local.live] },
    { title = "Room at relays that are awake", queries = [replace(local.live, "calls_live", "room")] },
    { title = "Calls by end, an hour", queries = ["sum by (end_reason) (increase(${local.m.calls}{${local.of_floyd}}[1h]))"] },
    { title = "Requests by end, an hour", queries = ["sum by (status, category) (increase(${local.m.requests}{${local.of_floyd}}[1h]))"] },
    { title = "Spent on calls, 24 hours (dollars)", queries = [local.spent] },
    { title = "Errors a second", queries = [local.errors] },
  ]
}

resource "google_monitoring_notification_channel" "email" {
  for_each = var.alert_emails

  project      = local.project
  display_name = each.key
  type         = "email"
  labels       = { email_address = each.key }
}

resource "google_monitoring_alert_policy" "this" {
  for_each = { for name, alert in local.alerts : name => alert if var.release != null } # silence is no alarm before

  project               = local.project
  display_name          = "Floyd: ${replace(each.key, "_", " ")}"
  combiner              = "OR"
  notification_channels = values(google_monitoring_notification_channel.email)[*].id

  conditions {
    display_name = each.value.says
    condition_prometheus_query_language {
      query               = each.value.query
      duration            = each.value.for
      evaluation_interval = "60s"

      disable_metric_validation = true # a new metric is known only some minutes later
    }
  }
  documentation {
    content = "${each.value.says}. What to do: docs/operating.md, ${each.key}."
  }

  depends_on = [google_logging_metric.this]
}

resource "google_monitoring_dashboard" "this" {
  project = local.project
  dashboard_json = jsonencode({
    displayName = "Floyd"
    mosaicLayout = {
      columns = 48
      tiles = [
        for position, chart in local.charts : {
          xPos   = 24 * (position % 2)
          yPos   = 16 * floor(position / 2)
          width  = 24
          height = 16
          widget = {
            title = chart.title
            xyChart = {
              dataSets = [for query in chart.queries : { plotType = "LINE", timeSeriesQuery = { prometheusQuery = query } }]
            }
          }
        }
      ]
    }
  })

  depends_on = [google_logging_metric.this]
}

resource "google_billing_budget" "this" {
  for_each = toset(compact([var.billing_account]))

  billing_account = each.key
  display_name    = "Floyd (${local.project})"

  budget_filter {
    projects = ["projects/${local.number}"]
  }
  amount {
    specified_amount {
      units = tostring(var.monthly_budget)
    }
  }
  dynamic "threshold_rules" {
    for_each = [0.5, 0.9, 1.0]
    content {
      threshold_percent = threshold_rules.value
    }
  }
  dynamic "all_updates_rule" { # without channels of its own it mails the billing administrators
    for_each = length(var.alert_emails) == 0 ? [] : [1]
    content {
      monitoring_notification_channels = values(google_monitoring_notification_channel.email)[*].id
    }
  }
}
