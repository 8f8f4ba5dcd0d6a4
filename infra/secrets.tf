locals {
  # Secrets by the variable that carries them, and who reads them. Values are written out of band, never by Terraform.
  secrets = {
    FLOYD_PLACES_API_KEY         = ["plan"]
    FLOYD_TWILIO_AUTH_TOKEN_NEXT = ["carrier", "relay"]
    FLOYD_VOICE_API_KEY          = ["plan", "relay"]
    OPENAI_API_KEY               = ["plan", "relay"]
    SMOKE_PASSWORD               = [] # of the account that proves a release with a call; read by cloudbuild.yaml
    TWILIO_AUTH_TOKEN            = ["api", "plan", "dial", "carrier", "sweep", "relay"]
  }

  # {process => {secret => version}} of those in use.
  secrets_of = {
    for process in keys(local.roles) : process => {
      for name, version in var.secret_versions : name => version if contains(local.secrets[name], process)
    }
  }
}

resource "google_secret_manager_secret" "this" {
  for_each = local.secrets

  project   = local.project
  secret_id = each.key

  replication {
    auto {}
  }
}

resource "google_secret_manager_secret_iam_member" "reader" {
  for_each = merge([
    for name, readers in local.secrets : { for process in readers : "${name} ${process}" => [name, process] }
  ]...)

  project   = local.project
  secret_id = google_secret_manager_secret.this[each.value[0]].secret_id
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.process[each.value[1]].member
}
