-- Which ad platform counted the click that led a visitor to the page, and its id; NULL where none did.
ALTER TABLE magnets_visits ADD COLUMN click_id_kind TEXT;
ALTER TABLE magnets_visits ADD COLUMN click_id TEXT;
