resource "google_identity_platform_config" "this" {
  project                    = local.project
  autodelete_anonymous_users = true

  authorized_domains = setunion(
    ["${var.project_id}.firebaseapp.com"],
    [for origin in setunion([local.web_origin], var.web_origins) : trimprefix(origin, "https://")],
  )

  sign_in {
    allow_duplicate_emails = false
    email {
      enabled           = true
      password_required = true
    }
    phone_number { # the number that Floyd texts is the one verified here
      enabled = true
    }
  }

  sms_region_config { # verification texts cost money: only where Floyd rings, too
    allowlist_only {
      allowed_regions = split(",", lookup(var.settings, "FLOYD_DIAL_REGIONS", "US,CA"))
    }
  }
}
