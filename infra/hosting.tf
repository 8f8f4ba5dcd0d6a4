locals {
  web_origin = "https://${local.web_site}.web.app"
  web_site   = "${substr(var.project_id, 0, 24)}-floyd" # at most 30 characters
}

resource "google_firebase_project" "this" {
  provider = google-beta

  project = local.project
}

resource "google_firebase_web_app" "this" {
  provider = google-beta

  project      = google_firebase_project.this.project
  display_name = "Floyd"
}

# What the web client must know to reach this project; none of it is secret.
data "google_firebase_web_app_config" "this" {
  provider = google-beta

  project    = local.project
  web_app_id = google_firebase_web_app.this.app_id
}

# The content is put there by cloudbuild.yaml.
resource "google_firebase_hosting_site" "this" {
  provider = google-beta

  project = google_firebase_project.this.project
  site_id = local.web_site
  app_id  = google_firebase_web_app.this.app_id
}
