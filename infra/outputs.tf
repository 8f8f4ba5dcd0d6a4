output "api_url" {
  description = "Where clients send requests (docs/running.md)."
  value       = "https://floyd-api-${local.run_domain}"
}

output "bundle_bucket" {
  description = "Bucket of the functions' bundles."
  value       = google_storage_bucket.bundles.name
}

output "deployer" {
  description = "Service account that rolls out releases: cloudbuild.yaml runs as it."
  value       = google_service_account.deployer.email
}

output "image_repository" {
  description = "Prefix of the relay's image: push IMAGE_REPOSITORY/relay."
  value       = "${var.region}-docker.pkg.dev/${local.project}/${google_artifact_registry_repository.images.repository_id}"
}

output "relays" {
  description = "Relays by shard: service, revision, tag and address of the release, whether or not traffic has moved."
  value       = local.relays
  depends_on  = [google_cloud_run_v2_service.relay]
}

output "secrets" {
  description = "Secrets by name: write a version of each that is in use before the first release."
  value       = sort(values(google_secret_manager_secret.this)[*].secret_id)
}

output "twilio_webhooks" {
  description = "What to enter at the Twilio number, both as POST."
  value = {
    a_call_comes_in    = "${local.settings.FLOYD_CARRIER_URL}/inbound"
    a_message_comes_in = "${local.settings.FLOYD_CARRIER_URL}/sms"
  }
}

output "web" {
  description = "Origin and hosting site of the web client, and what it must know of this project; nothing of it is secret."
  value = {
    api_key     = data.google_firebase_web_app_config.this.api_key
    app_id      = google_firebase_web_app.this.app_id
    auth_domain = data.google_firebase_web_app_config.this.auth_domain
    origin      = local.web_origin
    site        = google_firebase_hosting_site.this.site_id
  }
}
