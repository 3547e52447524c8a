-- By which model the ladders and the report credit roads: first, last, linear or position, as the config says. The row is
-- written when a worker starts.
ALTER TABLE figures_basis ADD COLUMN attribution TEXT NOT NULL DEFAULT 'first' CHECK (attribution IN ('first', 'last', 'linear', 'position'));
