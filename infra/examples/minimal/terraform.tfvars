# With infra/ as the root: terraform apply -var-file examples/minimal/terraform.tfvars
project_id   = "my-floyd"
twilio       = { account_sid = "AC00000000000000000000000000000000", caller_number = "+14155550123" }
alert_emails = ["on-call@example.com"]
