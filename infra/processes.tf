locals {
  # What each process may do in the project. Whom it may act for and which secrets it reads stands beside those.
  roles = {
    api     = ["roles/datastore.user", "roles/run.viewer"]
    plan    = ["roles/datastore.user"]
    dial    = ["roles/datastore.user", "roles/run.viewer"]
    carrier = ["roles/datastore.user", "roles/run.viewer"]
    sweep   = ["roles/datastore.user"]
    relay   = ["roles/datastore.user", "roles/speech.client"]
  }

  # Every process is told the same; none of it is secret, and each takes what it needs (docs/running.md).
  settings = merge({
    FLOYD_CALLER_NUMBER  = var.twilio.caller_number
    FLOYD_CARRIER_URL    = "https://floyd-carrier-${local.run_domain}"
    FLOYD_DAILY_SPEND    = tostring(var.daily_spend)
    FLOYD_MAX_CALLS      = tostring(var.max_calls)
    FLOYD_REGION         = var.region
    FLOYD_SWEEP_INVOKER  = google_service_account.scheduler.email
    FLOYD_WEB_ORIGINS    = join(",", setunion([local.web_origin], var.web_origins))
    GOOGLE_CLOUD_PROJECT = var.project_id
    TWILIO_ACCOUNT_SID   = var.twilio.account_sid
  }, var.settings)

  # A Cloud Run service's address can be told before it exists: https://[TAG---]SERVICE-NUMBER.REGION.run.app.
  run_domain = "${local.number}.${var.region}.run.app"
}

resource "google_service_account" "process" {
  for_each = local.roles

  project      = local.project
  account_id   = "floyd-${each.key}"
  display_name = "Floyd: ${each.key}"
}

resource "google_project_iam_member" "process" {
  for_each = merge([
    for process, roles in local.roles : { for role in roles : "${process} ${basename(role)}" => [process, role] }
  ]...)

  project = local.project
  role    = each.value[1]
  member  = google_service_account.process[each.value[0]].member
}

# `api` looks a person's sign-in up and, with the account, removes it; no predefined role does so little.
resource "google_project_iam_custom_role" "accounts" {
  project     = local.project
  role_id     = "floydAccounts"
  title       = "Floyd: look up and remove sign-ins"
  permissions = ["firebaseauth.users.delete", "firebaseauth.users.get"]
}

resource "google_project_iam_member" "accounts" {
  project = local.project
  role    = google_project_iam_custom_role.accounts.name
  member  = google_service_account.process["api"].member
}
