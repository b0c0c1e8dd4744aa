// States of jobs as they change: calls back with {asset_id, status}.

export function onChange(tell) {
  const events = new EventSource("/events");
  events.onmessage = (event) => tell(JSON.parse(event.data));
  return events;
}
