-- anew_lead: while a plugin is made anew lead by lead, the last lead whose whole history was read; NULL where the log is read in its order.
ALTER TABLE subscribers ADD COLUMN anew_lead INTEGER;
