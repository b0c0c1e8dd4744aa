# The HTTP API of the service. Only routes that the application has exist; all others are answered by
# API Gateway itself.

resource "aws_apigatewayv2_api" "service" {
  count = local.service ? 1 : 0

  name          = local.service_name
  description   = "A catalogue of images and product crops"
  protocol_type = "HTTP"
  tags          = local.tags
}

resource "aws_apigatewayv2_integration" "service" {
  count = local.service ? 1 : 0

  api_id                 = aws_apigatewayv2_api.service[0].id
  integration_type       = "AWS_PROXY"
  integration_uri        = aws_lambda_function.service["api"].invoke_arn
  payload_format_version = "2.0"
  timeout_milliseconds   = 1000 * local.service_seconds
}

resource "aws_apigatewayv2_route" "service" {
  #checkov:skip=CKV_AWS_309:the service itself checks keys, which tenants have and IAM does not know
  for_each = { for route in local.service_routes : route => route if local.service }

  api_id    = aws_apigatewayv2_api.service[0].id
  route_key = each.value
  target    = "integrations/${aws_apigatewayv2_integration.service[0].id}"
}

resource "aws_apigatewayv2_stage" "service" {
  count = local.service ? 1 : 0

  api_id      = aws_apigatewayv2_api.service[0].id
  name        = "$default"
  auto_deploy = true

  default_route_settings {
    throttling_rate_limit    = var.service_requests_per_second
    throttling_burst_limit   = 2 * var.service_requests_per_second
    detailed_metrics_enabled = false
  }

  # Requests that never reach the function are logged only here. Neither keys nor queries.
  access_log_settings {
    destination_arn = aws_cloudwatch_log_group.service_api[0].arn
    format = jsonencode({
      time     = "$context.requestTime"
      id       = "$context.requestId"
      address  = "$context.identity.sourceIp"
      route    = "$context.routeKey"
      status   = "$context.status"
      error    = "$context.error.message"
      ms       = "$context.responseLatency"
      bytes    = "$context.responseLength"
      function = "$context.integrationErrorMessage"
    })
  }

  tags = local.tags
}

resource "aws_cloudwatch_log_group" "service_api" {
  #checkov:skip=CKV_AWS_158:CloudWatch encrypts it; it contains neither keys nor pixels
  #checkov:skip=CKV_AWS_338:see log_retention_days
  count = local.service ? 1 : 0

  name              = "/aws/apigateway/${local.service_name}"
  retention_in_days = var.log_retention_days
  tags              = local.tags
}

resource "aws_lambda_permission" "service" {
  count = local.service ? 1 : 0

  statement_id   = "HttpApi"
  action         = "lambda:InvokeFunction"
  function_name  = aws_lambda_function.service["api"].function_name
  principal      = "apigateway.amazonaws.com"
  source_arn     = "${aws_apigatewayv2_api.service[0].execution_arn}/*/*"
  source_account = local.account
}
