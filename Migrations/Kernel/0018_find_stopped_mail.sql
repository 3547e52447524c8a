-- kernel_stops asks for these alone, with each page of figures; the messages that were sent are kept and are many more.
CREATE INDEX outbox_messages_stopped ON outbox_messages (state) WHERE state IN ('unknown', 'failed', 'held');
