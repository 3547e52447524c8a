-- cause: why it paused. A row of 'bounces' has no complaints; its percent_max is mail.bounces_max at the time, and sent are marketing mails.
ALTER TABLE mail_pauses ADD COLUMN cause TEXT NOT NULL DEFAULT 'complaints' CHECK (cause IN ('complaints', 'bounces'));
-- People to whom mail bounced hard, and people besides whose hosts refused it for what it is or for who sends it.
ALTER TABLE mail_pauses ADD COLUMN people_bounced INTEGER NOT NULL DEFAULT 0;
ALTER TABLE mail_pauses ADD COLUMN people_blocked INTEGER NOT NULL DEFAULT 0;
