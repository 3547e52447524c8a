-- anew_through: the last event there was when a plugin's tables were emptied to be made anew from the log. Until its subscribers have
-- come so far, others wait: they would take what is half there for what is true.
ALTER TABLE subscribers ADD COLUMN anew_through INTEGER;
