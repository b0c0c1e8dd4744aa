# The repository of the function's container images.

resource "aws_ecr_repository" "function" {
  #checkov:skip=CKV_AWS_136:AES-256 with a key of ECR, docs/decisions/2026-11-20-encryption-at-rest.md
  name                 = var.name
  image_tag_mutability = "IMMUTABLE"

  # Images can be rebuilt from the sources, so they need not block `make destroy`.
  force_delete = true

  image_scanning_configuration {
    scan_on_push = true
  }

  encryption_configuration {
    encryption_type = "AES256"
  }

  tags = local.tags
}

# Only untagged images expire, which are left over from interrupted pushes. `make deploy` tags every
# image, and in an immutable repository no push can take the tag away. Any rule for tagged images, by
# age or by count, could delete the deployed one: docs/decisions/2026-11-20-images-that-expire.md.
resource "aws_ecr_lifecycle_policy" "function" {
  repository = aws_ecr_repository.function.name

  policy = jsonencode({
    rules = [{
      rulePriority = 1
      description  = "Untagged images are not deployed"
      selection = {
        tagStatus   = "untagged"
        countType   = "sinceImagePushed"
        countUnit   = "days"
        countNumber = 14
      }
      action = { type = "expire" }
    }]
  })
}
