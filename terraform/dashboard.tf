# The dashboard: throughput, latency, failures, queue and cost.

locals {
  # A metric is a namespace, a name, a dimension and display options. "." repeats the value of the
  # line above, "..." all of its values but the options.
  ours     = [var.metrics_namespace, "Processed", "FunctionName", var.name]
  duration = [var.metrics_namespace, "Duration", "FunctionName", var.name]
  errors   = ["AWS/Lambda", "Errors", "FunctionName", var.name]
  calls    = ["AWS/Lambda", "Invocations", "FunctionName", var.name]
  time     = ["AWS/Lambda", "Duration", "FunctionName", var.name]
  running  = ["AWS/Lambda", "ConcurrentExecutions", "FunctionName", var.name]
  log      = ["AWS/Logs", "IncomingBytes", "LogGroupName", aws_cloudwatch_log_group.function.name]

  messages = ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName"]

  graphs = [
    {
      title  = "Images per minute"
      stat   = "Sum"
      period = 60
      yAxis  = { left = { min = 0 } }
      metrics = [
        concat(local.ours, [{ label = "done", color = "#2ca02c" }]),
        [".", "Rejected", ".", ".", { label = "rejected: permanent fault", color = "#ff7f0e" }],
        [".", "Failed", ".", ".", { label = "failed: will be retried", color = "#d62728" }],
        [".", "Retried", ".", ".", { label = "retried: not the first attempt", color = "#7f7f7f" }],
        [".", "BrokenOff", ".", ".", { label = "broken off: crash, memory or time", color = "#9467bd" }],
      ]
    },
    {
      title  = "Milliseconds per image"
      period = 60
      yAxis  = { left = { min = 0 } }
      metrics = [
        concat(local.duration, [{ stat = "p50", label = "median (p50)" }]),
        ["...", { stat = "p99", label = "99th percentile (p99)" }],
        ["...", { stat = "Maximum", label = "slowest" }],
      ]
    },
    {
      title  = "Failures"
      period = 60
      yAxis  = { left = { min = 0 } }
      metrics = [
        concat(local.errors, [{ stat = "Sum", label = "invocations that failed" }]),
        [".", "Throttles", ".", ".", { stat = "Sum", label = "invocations throttled" }],
        concat(
          local.messages,
          [aws_sqs_queue.dead_letters.name, { stat = "Maximum", label = "dead letters" }],
        ),
        ["...", aws_sqs_queue.failed_calls.name, { stat = "Maximum", label = "failed calls" }],
      ]
    },
    {
      title  = "Queue"
      stat   = "Maximum"
      period = 60
      yAxis = {
        left  = { min = 0, label = "messages", showUnits = false }
        right = { min = 0, label = "seconds", showUnits = false }
      }
      metrics = [
        concat(local.messages, [aws_sqs_queue.work.name, { label = "waiting" }]),
        [".", "ApproximateNumberOfMessagesNotVisible", ".", ".", { label = "in flight" }],
        [".", "ApproximateAgeOfOldestMessage", ".", ".", { label = "age of the oldest", yAxis = "right" }],
        concat(local.running, [{ label = "concurrent invocations" }]),
      ]
    },
    {
      title  = "Cost: compute"
      stat   = "Sum"
      period = 3600
      yAxis  = { left = { min = 0, label = "GB-seconds per hour", showUnits = false } }
      metrics = [
        concat(local.time, [{ id = "ms", visible = false }]),
        [{ expression = "ms / 1000 * ${var.memory_mb} / 1024", id = "gbs", label = "GB-seconds" }],
      ]
    },
    {
      title  = "Cost: requests and log"
      stat   = "Sum"
      period = 3600
      yAxis = {
        left  = { min = 0, label = "per hour", showUnits = false }
        right = { min = 0, label = "bytes per hour", showUnits = false }
      }
      metrics = [
        concat(local.calls, [{ label = "invocations" }]),
        concat(local.ours, [{ label = "images" }]),
        concat(local.log, [{ label = "bytes of log", yAxis = "right" }]),
      ]
    },
  ]

  problems = {
    title  = "Latest rejections and failures"
    region = local.region
    view   = "table"
    query = join(" | ", [
      "SOURCE '${aws_cloudwatch_log_group.function.name}'",
      "fields @timestamp, outcome, key, error.code, error.message",
      "filter outcome in [\"rejected\", \"failed\"] or level = \"ERROR\"",
      "sort @timestamp desc",
      "limit 50",
    ])
  }

  widgets = concat(
    [for index, graph in local.graphs : {
      type       = "metric"
      x          = 12 * (index % 2)
      y          = 6 * floor(index / 2)
      width      = 12
      height     = 6
      properties = merge(graph, { view = "timeSeries", region = local.region })
    }],
    [{ type = "log", x = 0, y = 18, width = 24, height = 6, properties = local.problems }],
  )
}

resource "aws_cloudwatch_dashboard" "this" {
  count = var.dashboard ? 1 : 0

  dashboard_name = local.name_in_region
  dashboard_body = jsonencode({ widgets = local.widgets })
}
