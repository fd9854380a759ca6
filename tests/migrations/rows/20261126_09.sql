INSERT INTO synonyms (kind, language, terms, finds) VALUES
    ('two_way', 'ar', '{ذكاء اصطناعي,تعلم الآلة}', '{}'),
    ('one_way', 'en', '{ai}', '{artificial intelligence}');
