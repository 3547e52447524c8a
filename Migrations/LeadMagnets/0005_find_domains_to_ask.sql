-- Domains nobody could say anything of, the one asked longest ago first; never asked come before all.
CREATE INDEX magnets_domains_unknown ON magnets_domains (checked_at) WHERE takes_mail IS NULL;
-- Domains with an answer, the oldest first.
CREATE INDEX magnets_domains_known ON magnets_domains (checked_at) WHERE takes_mail IS NOT NULL;
