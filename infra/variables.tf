variable "alert_emails" {
  description = "Who hears of alerts and of the budget."
  type        = set(string)
  default     = []
}

variable "billing_account" {
  description = "Billing account that the budget watches; null: no budget."
  type        = string
  default     = null

  validation {
    condition     = var.billing_account == null || can(regex("^([0-9A-F]{6}-){2}[0-9A-F]{6}$", var.billing_account))
    error_message = "A billing account looks like 0123AB-4567CD-89EF01."
  }
}

variable "daily_spend" {
  description = "Dollars a day for calls: Floyd rings no more when they are spent, and an alert is raised at four fifths."
  type        = number
  default     = 20

  validation {
    condition     = var.daily_spend > 0
    error_message = "With nothing to spend nothing can ring."
  }
}

variable "firestore_location" {
  description = "Where documents live, a region or a multi-region (nam5, eur3); null: `region`. It can never be changed."
  type        = string
  default     = null
}

variable "max_calls" {
  description = "Live calls at once over all relays. Twilio allows 2 until a profile is approved."
  type        = number
  default     = 2

  validation {
    condition     = var.max_calls >= 1 && floor(var.max_calls) == var.max_calls
    error_message = "A whole number of calls, at least 1."
  }
}

variable "min_instances" {
  description = "Instances kept warm, by process; a warm relay means one per shard. Each costs about 50 dollars a month."
  type        = map(number)
  default     = {}

  validation {
    condition = alltrue([
      for process, count in var.min_instances :
      contains(["api", "plan", "dial", "carrier", "sweep", "relay"], process) && contains([0, 1], count)
    ])
    error_message = "Keys are api, plan, dial, carrier, sweep and relay; values are 0 or 1."
  }
}

variable "monthly_budget" {
  description = "Units of the billing account's currency a month for the whole project; warned about, never enforced."
  type        = number
  default     = 200
}

variable "project_id" {
  description = "Google Cloud project to build in. Its Firestore database and Firebase become Floyd's."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project_id))
    error_message = "The project's id, not its name or number."
  }
}

variable "region" {
  description = "Where processes run. Speech recognition must be offered there."
  type        = string
  default     = "us-central1"

  validation {
    condition     = can(regex("^[a-z]+-[a-z]+[0-9]+$", var.region))
    error_message = "A region such as us-central1, not a zone."
  }
}

variable "relay_shards" {
  description = "Relays, each one instance holding up to 80 calls. Idle ones cost nothing."
  type        = number
  default     = 2

  validation {
    condition     = var.relay_shards >= 2 && var.relay_shards <= 100 && floor(var.relay_shards) == var.relay_shards
    error_message = "At least 2, so that a call outlives its relay, and at most 100."
  }
}

variable "release" {
  description = "What to run: commit, zip of the functions, image of the relay by digest. Null until they have been built."
  type = object({
    bundle = string
    commit = string
    image  = string
  })
  default = null

  validation {
    condition     = var.release == null || can(regex("^[0-9a-f]{8,40}$", var.release.commit))
    error_message = "release.commit is a git commit in hexadecimal, at least 8 digits."
  }
  validation {
    condition     = var.release == null || can(regex("@sha256:[0-9a-f]{64}$", var.release.image))
    error_message = "release.image is named by its digest (…@sha256:…): a tag may move under a running revision."
  }
}

variable "secret_versions" {
  description = "Version in use of each secret; those not named here are not in use. A number instead of latest makes a new value take effect with the apply."
  type        = map(string)
  default     = { OPENAI_API_KEY = "latest", TWILIO_AUTH_TOKEN = "latest" }

  validation {
    condition = (
      length(setsubtract(["OPENAI_API_KEY", "TWILIO_AUTH_TOKEN"], keys(var.secret_versions))) == 0 &&
      length(setsubtract(keys(var.secret_versions), keys(local.secrets))) == 0
    )
    error_message = "OPENAI_API_KEY and TWILIO_AUTH_TOKEN, and perhaps others that infra/secrets.tf names."
  }
  validation {
    condition     = alltrue([for version in values(var.secret_versions) : can(regex("^(latest|[1-9][0-9]*)$", version))])
    error_message = "A version is a number or latest; values never pass through Terraform."
  }
}

variable "settings" {
  description = "Other settings of docs/running.md, such as FLOYD_VOICE or FLOYD_DIAL_ALLOW, as they are in the environment."
  type        = map(string)
  default     = {}

  validation {
    condition = length(setsubtract(keys(var.settings), [
      "FLOYD_DIAL_ALLOW", "FLOYD_DIAL_OVERRIDE", "FLOYD_DIAL_REGIONS", "FLOYD_KEEP_DAYS", "FLOYD_LANGUAGE",
      "FLOYD_MIND_FALLBACK_MODEL", "FLOYD_MIND_MODEL", "FLOYD_OPEN_SIGNUP", "FLOYD_PLANNER_MODEL", "FLOYD_SPECULATION",
      "FLOYD_SPEECH_LOCATION", "FLOYD_SPEECH_MODEL", "FLOYD_VOICE", "FLOYD_VOICE_BACKEND", "FLOYD_VOICE_BASE_URL",
      "FLOYD_VOICE_MODEL", "OPENAI_BASE_URL",
    ])) == 0
    error_message = "Not among the settings that a deployment may choose: secrets, stand-ins and what infra/ itself sets are not."
  }
}

variable "twilio" {
  description = "Account (not secret) and the number that Floyd calls and texts from."
  type        = object({ account_sid = string, caller_number = string })

  validation {
    condition     = can(regex("^AC[0-9a-f]{32}$", var.twilio.account_sid))
    error_message = "twilio.account_sid is AC and 32 hexadecimal digits."
  }
  validation {
    condition     = can(regex("^\\+[1-9][0-9]{7,14}$", var.twilio.caller_number))
    error_message = "twilio.caller_number is E.164: +14155550123."
  }
}

variable "web_origins" {
  description = "Browser origins that may use Floyd, beside its own hosting site."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for origin in var.web_origins : can(regex("^https://[^/*]+$", origin))])
    error_message = "An origin is https:// and a host, no path, no asterisk."
  }
}
