locals {
  # All that makes one revision differ from another. Cloud Run refuses a known revision name with new contents, hence
  # the digest in the tag.
  relay = {
    env     = local.settings
    image   = try(var.release.image, "")
    secrets = local.secrets_of.relay
  }
  relay_tag = format("c%s-%s", substr(try(var.release.commit, ""), 0, 8), substr(sha256(jsonencode(local.relay)), 0, 4))

  relays = {
    for shard in var.release == null ? [] : range(var.relay_shards) : shard => {
      service  = "floyd-relay-${shard}"
      revision = "floyd-relay-${shard}-${local.relay_tag}"
      tag      = local.relay_tag
      # Reached by its tag, a revision keeps its listeners and its calls while traffic moves on to the next.
      url = "wss://${local.relay_tag}---floyd-relay-${shard}-${local.run_domain}"
    }
  }
}

resource "google_cloud_run_v2_service" "relay" {
  for_each = local.relays

  project             = local.project
  location            = var.region
  name                = each.value.service
  labels              = { floyd-relay = each.key } # how `dial` finds the relays
  deletion_protection = false                      # a relay keeps nothing; on SIGTERM it hands its calls over

  scaling { # of the service, so that a revision that only keeps its tag is not kept warm
    min_instance_count = lookup(var.min_instances, "relay", 0)
  }

  template {
    revision                         = each.value.revision
    service_account                  = google_service_account.process["relay"].email
    execution_environment            = "EXECUTION_ENVIRONMENT_GEN2"
    timeout                          = "3600s" # the most that Cloud Run allows a websocket
    max_instance_request_concurrency = 1000    # the most as well: admission is Floyd's, a callee never waits in a queue

    scaling {
      max_instance_count = 1 # an address leads to one process, which holds the call
    }

    containers {
      image = local.relay.image

      resources {
        limits            = { cpu = "1", memory = "1Gi" } # one event loop uses one core
        cpu_idle          = false                         # sound is paced between requests too
        startup_cpu_boost = true
      }
      # No liveness probe: a relay that is full or draining says so at /ready, and is very much alive.
      startup_probe {
        period_seconds    = 1
        timeout_seconds   = 1
        failure_threshold = 30
        http_get {
          path = "/ready"
        }
      }

      dynamic "env" {
        for_each = merge(local.relay.env, { FLOYD_RELAY_URL = each.value.url })
        content {
          name  = env.key
          value = env.value
        }
      }
      dynamic "env" {
        for_each = local.relay.secrets
        content {
          name = env.key
          value_source {
            secret_key_ref {
              secret  = google_secret_manager_secret.this[env.key].secret_id
              version = env.value
            }
          }
        }
      }
    }
  }

  # For the first revision only.
  traffic {
    type     = "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION"
    revision = each.value.revision
    percent  = 100
    tag      = each.value.tag
  }

  lifecycle {
    # Moved shard by shard by cloudbuild.yaml, which keeps the old tag until the last call that uses it can have ended.
    ignore_changes = [client, client_version, traffic]
  }

  depends_on = [google_secret_manager_secret_iam_member.reader]
}

# Twilio and browsers carry no Google identity; the relay checks signatures and tokens itself.
resource "google_cloud_run_v2_service_iam_member" "relay" {
  for_each = google_cloud_run_v2_service.relay

  project  = local.project
  location = var.region
  name     = each.value.name
  role     = "roles/run.invoker"
  member   = "allUsers"
}
