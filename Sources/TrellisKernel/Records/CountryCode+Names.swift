extension CountryCode {
    /// The 249 entries of ISO 3166-1, one to a line: alpha-2, alpha-3, calling code (ITU-T E.164), trunk
    /// prefix or a hyphen if the plan has none, then the names, separated by semicolons.
    ///
    /// The first name is the English one in common use. The others are the formal one, the name in up to
    /// three of the official languages (Unicode CLDR), and what people write besides. A part of a country
    /// stands for the country (Scotland), and so does a former name (Burma). A name that could mean two
    /// countries (Korea) is in neither line; Congo, which is itself a name in ISO 3166-1, is the exception.
    static let table = """
        AD AND 376 - Andorra; Principality of Andorra
        AE ARE 971 0 United Arab Emirates; الإمارات العربية المتحدة; UAE; Emirates; Vereinigte Arabische \
            Emirate
        AF AFG 93 0 Afghanistan; افغانستان; Islamic Republic of Afghanistan
        AG ATG 1 1 Antigua and Barbuda; Antigua
        AI AIA 1 1 Anguilla
        AL ALB 355 0 Albania; Shqipëri; Shqipëria; Republic of Albania
        AM ARM 374 0 Armenia; Հայաստան; Hayastan; Republic of Armenia
        AO AGO 244 - Angola; Republic of Angola
        AQ ATA 672 - Antarctica
        AR ARG 54 0 Argentina; Argentine Republic
        AS ASM 1 1 American Samoa
        AT AUT 43 0 Austria; Österreich; Oesterreich; Republik Österreich; Republic of Austria
        AU AUS 61 0 Australia; Commonwealth of Australia
        AW ABW 297 - Aruba
        AX ALA 358 0 Åland Islands; Åland
        AZ AZE 994 0 Azerbaijan; Azərbaycan; Азәрбајҹан; Republic of Azerbaijan
        BA BIH 387 0 Bosnia and Herzegovina; Босна и Херцеговина; Bosna i Hercegovina; Bosnia; \
            Bosnia-Herzegovina; Republic of Bosnia and Herzegovina
        BB BRB 1 1 Barbados
        BD BGD 880 0 Bangladesh; বাংলাদেশ; People's Republic of Bangladesh
        BE BEL 32 0 Belgium; België; Belgique; Belgien; Kingdom of Belgium
        BF BFA 226 - Burkina Faso; Upper Volta
        BG BGR 359 0 Bulgaria; България; Bulgariya; Balgariya; Republic of Bulgaria
        BH BHR 973 - Bahrain; البحرين; Kingdom of Bahrain
        BI BDI 257 - Burundi; Uburundi; Republic of Burundi
        BJ BEN 229 - Benin; Dahomey; Republic of Benin
        BL BLM 590 0 Saint Barthélemy; St. Barts
        BM BMU 1 1 Bermuda
        BN BRN 673 - Brunei Darussalam; Brunei; بروني
        BO BOL 591 0 Bolivia; Bolivia, Plurinational State of; Plurinational State of Bolivia
        BQ BES 599 - Bonaire, Sint Eustatius and Saba; Caribbean Netherlands; Caribisch Nederland; \
            Bonaire
        BR BRA 55 0 Brazil; Brasil; Federative Republic of Brazil
        BS BHS 1 1 Bahamas; Commonwealth of the Bahamas
        BT BTN 975 - Bhutan; འབྲུག; Kingdom of Bhutan
        BV BVT 47 - Bouvet Island
        BW BWA 267 - Botswana; Republic of Botswana
        BY BLR 375 80 Belarus; Беларусь; Byelorussia; Bielorussia; Belorussia; Republic of Belarus
        BZ BLZ 501 - Belize
        CA CAN 1 1 Canada; Dominion of Canada
        CC CCK 61 0 Cocos (Keeling) Islands; Keeling Islands; Cocos Islands
        CD COD 243 0 Congo, The Democratic Republic of the; Congo - Kinshasa; Democratic Republic of the \
            Congo; DR Congo; DRC; Zaire
        CF CAF 236 - Central African Republic; Ködörösêse tî Bêafrîka; République centrafricaine; CAR; \
            Central African Rep.
        CG COG 242 - Congo; Congo - Brazzaville; Republic of the Congo; Congo Republic
        CH CHE 41 0 Switzerland; Schweiz; Suisse; Svizzera; Svizra; Swiss Confederation; Confoederatio \
            Helvetica
        CI CIV 225 - Côte d'Ivoire; Ivory Coast; Republic of Côte d'Ivoire
        CK COK 682 - Cook Islands
        CL CHL 56 - Chile; Republic of Chile
        CM CMR 237 - Cameroon; Cameroun; Republic of Cameroon
        CN CHN 86 0 China; 中国; PRC; People's Republic of China; Mainland China; Zhongguo; 中华人民共和国
        CO COL 57 0 Colombia; Republic of Colombia
        CR CRI 506 - Costa Rica; Republic of Costa Rica
        CU CUB 53 0 Cuba; Republic of Cuba
        CV CPV 238 - Cabo Verde; Cape Verde; Republic of Cabo Verde
        CW CUW 599 - Curaçao
        CX CXR 61 0 Christmas Island
        CY CYP 357 - Cyprus; Κύπρος; Kıbrıs; Kypros; Republic of Cyprus
        CZ CZE 420 - Czechia; Česko; Czech Republic; Česká republika
        DE DEU 49 0 Germany; Deutschland; FRG; BRD; Bundesrepublik Deutschland; Federal Republic of \
            Germany
        DJ DJI 253 - Djibouti; جيبوتي; Republic of Djibouti
        DK DNK 45 - Denmark; Danmark; Kingdom of Denmark
        DM DMA 1 1 Dominica; Commonwealth of Dominica
        DO DOM 1 1 Dominican Republic; República Dominicana; Dominican Rep.
        DZ DZA 213 0 Algeria; الجزائر; Algérie; People's Democratic Republic of Algeria
        EC ECU 593 0 Ecuador; Republic of Ecuador
        EE EST 372 - Estonia; Eesti; Republic of Estonia
        EG EGY 20 0 Egypt; مصر; Misr; Arab Republic of Egypt
        EH ESH 212 0 Western Sahara; الصحراء الغربية; Sahrawi; Sahrawi Arab Democratic Republic
        ER ERI 291 0 Eritrea; إريتريا; the State of Eritrea
        ES ESP 34 - Spain; España; Kingdom of Spain
        ET ETH 251 0 Ethiopia; ኢትዮጵያ; Federal Democratic Republic of Ethiopia
        FI FIN 358 0 Finland; Suomi; Finnland; Republic of Finland
        FJ FJI 679 - Fiji; Fiji Islands; Republic of Fiji
        FK FLK 500 - Falkland Islands (Malvinas); Falkland Islands; Malvinas; Islas Malvinas
        FM FSM 691 - Micronesia, Federated States of; Micronesia; Federated States of Micronesia
        FO FRO 298 - Faroe Islands; Føroyar; Færøerne; Faeroe Islands
        FR FRA 33 0 France; French Republic; République française
        GA GAB 241 - Gabon; Gabonese Republic
        GB GBR 44 0 United Kingdom; UK; Great Britain; Britain; England; Scotland; Wales; Northern \
            Ireland; United Kingdom of Great Britain and Northern Ireland
        GD GRD 1 1 Grenada
        GE GEO 995 0 Georgia; საქართველო; Sakartvelo
        GF GUF 594 0 French Guiana; Guyane française; Guyane
        GG GGY 44 0 Guernsey
        GH GHA 233 0 Ghana; Republic of Ghana
        GI GIB 350 - Gibraltar
        GL GRL 299 - Greenland; Kalaallit Nunaat
        GM GMB 220 - Gambia; Republic of the Gambia
        GN GIN 224 - Guinea; Guinée; Republic of Guinea
        GP GLP 590 0 Guadeloupe
        GQ GNQ 240 - Equatorial Guinea; Guinea Ecuatorial; Guinée équatoriale; Guiné Equatorial; \
            Republic of Equatorial Guinea
        GR GRC 30 - Greece; Ελλάδα; EL; Hellas; Ellada; Hellenic Republic
        GS SGS 500 - South Georgia and the South Sandwich Islands; South Georgia & South Sandwich \
            Islands; South Georgia
        GT GTM 502 - Guatemala; Republic of Guatemala
        GU GUM 1 1 Guam
        GW GNB 245 - Guinea-Bissau; Guiné-Bissau; Republic of Guinea-Bissau
        GY GUY 592 - Guyana; Republic of Guyana
        HK HKG 852 - Hong Kong; Hong Kong SAR China; 中國香港特別行政區; Hong Kong SAR; HKSAR; Hong Kong Special \
            Administrative Region of China
        HM HMD 672 - Heard Island and McDonald Islands; Heard & McDonald Islands; Heard Island
        HN HND 504 - Honduras; Republic of Honduras
        HR HRV 385 0 Croatia; Hrvatska; Republic of Croatia
        HT HTI 509 - Haiti; Republic of Haiti
        HU HUN 36 06 Hungary; Magyarország
        ID IDN 62 0 Indonesia; Republic of Indonesia
        IE IRL 353 0 Ireland; Éire; Republic of Ireland
        IL ISR 972 0 Israel; ישראל; إسرائيل; Yisrael; State of Israel
        IM IMN 44 0 Isle of Man; Ellan Vannin
        IN IND 91 0 India; भारत; Bharat; Republic of India
        IO IOT 246 - British Indian Ocean Territory; Chagos
        IQ IRQ 964 0 Iraq; العراق; Republic of Iraq
        IR IRN 98 0 Iran; Iran, Islamic Republic of; ایران; Islamic Republic of Iran; Persia
        IS ISL 354 - Iceland; Ísland; Republic of Iceland
        IT ITA 39 - Italy; Italia; Italian Republic
        JE JEY 44 0 Jersey
        JM JAM 1 1 Jamaica
        JO JOR 962 0 Jordan; الأردن; Hashemite Kingdom of Jordan
        JP JPN 81 0 Japan; 日本; Nippon; Nihon; 日本国
        KE KEN 254 0 Kenya; Republic of Kenya
        KG KGZ 996 0 Kyrgyzstan; Кыргызстан; Киргизия; Kirghizia; Kirgizstan; Kyrgyz Republic
        KH KHM 855 0 Cambodia; កម្ពុជា; Kampuchea; Kingdom of Cambodia
        KI KIR 686 0 Kiribati; Republic of Kiribati
        KM COM 269 - Comoros; جزر القمر; Union of the Comoros
        KN KNA 1 1 Saint Kitts and Nevis; St. Kitts
        KP PRK 850 0 North Korea; Korea, Democratic People's Republic of; 북한; DPRK; Democratic People's \
            Republic of Korea
        KR KOR 82 0 South Korea; Korea, Republic of; 대한민국; Republic of Korea; Korea (South); ROK; Korea \
            Republic; Hanguk
        KW KWT 965 - Kuwait; الكويت; State of Kuwait
        KY CYM 1 1 Cayman Islands
        KZ KAZ 7 8 Kazakhstan; Казахстан; Қазақстан; Kazakstan; Republic of Kazakhstan
        LA LAO 856 0 Laos; Lao People's Democratic Republic; ລາວ
        LB LBN 961 0 Lebanon; لبنان; Lebanese Republic
        LC LCA 1 1 Saint Lucia
        LI LIE 423 0 Liechtenstein; Principality of Liechtenstein
        LK LKA 94 0 Sri Lanka; ශ්‍රී ලංකාව; இலங்கை; Ceylon; Democratic Socialist Republic of Sri Lanka
        LR LBR 231 0 Liberia; Republic of Liberia
        LS LSO 266 - Lesotho; Kingdom of Lesotho
        LT LTU 370 0 Lithuania; Lietuva; Republic of Lithuania
        LU LUX 352 - Luxembourg; Lëtzebuerg; Luxemburg; Grand Duchy of Luxembourg
        LV LVA 371 - Latvia; Latvija; Republic of Latvia
        LY LBY 218 0 Libya; ليبيا
        MA MAR 212 0 Morocco; المغرب; Maroc; Kingdom of Morocco
        MC MCO 377 0 Monaco; Principality of Monaco
        MD MDA 373 0 Moldova; Moldova, Republic of; Republica Moldova; Republic of Moldova
        ME MNE 382 0 Montenegro; Crna Gora
        MF MAF 590 0 Saint Martin (French part); St. Martin
        MG MDG 261 0 Madagascar; Madagasikara; Republic of Madagascar
        MH MHL 692 1 Marshall Islands; Republic of the Marshall Islands
        MK MKD 389 0 North Macedonia; Северна Македонија; Macedonia; FYROM; Northern Macedonia; Republic \
            of North Macedonia
        ML MLI 223 - Mali; Republic of Mali
        MM MMR 95 0 Myanmar; Myanmar (Burma); မြန်မာ; Burma; Republic of Myanmar
        MN MNG 976 0 Mongolia; Монгол
        MO MAC 853 - Macao; Macao SAR China; 中國澳門特別行政區; Macau, RAE da China; Macau; Macao SAR; Macao \
            Special Administrative Region of China
        MP MNP 1 1 Northern Mariana Islands; Northern Marianas; Commonwealth of the Northern Mariana \
            Islands
        MQ MTQ 596 0 Martinique
        MR MRT 222 - Mauritania; موريتانيا; Mauritanie; Islamic Republic of Mauritania
        MS MSR 1 1 Montserrat
        MT MLT 356 - Malta; Republic of Malta
        MU MUS 230 - Mauritius; Maurice; Republic of Mauritius
        MV MDV 960 - Maldives; ދިވެހި ރާއްޖެ; Maldive Islands; Republic of Maldives
        MW MWI 265 0 Malawi; Republic of Malawi
        MX MEX 52 - Mexico; Méjico; United Mexican States
        MY MYS 60 0 Malaysia
        MZ MOZ 258 - Mozambique; Moçambique; Republic of Mozambique
        NA NAM 264 0 Namibia; Republic of Namibia
        NC NCL 687 - New Caledonia; Nouvelle-Calédonie
        NE NER 227 - Niger; Republic of the Niger
        NF NFK 672 - Norfolk Island
        NG NGA 234 0 Nigeria; Nàìjíríà; Federal Republic of Nigeria
        NI NIC 505 - Nicaragua; Republic of Nicaragua
        NL NLD 31 0 Netherlands; Nederland; Holland; Kingdom of the Netherlands; Niederlande
        NO NOR 47 - Norway; Norge; Noreg; Kingdom of Norway
        NP NPL 977 0 Nepal; नेपाल; Federal Democratic Republic of Nepal
        NR NRU 674 - Nauru; Republic of Nauru
        NU NIU 683 - Niue
        NZ NZL 64 0 New Zealand; Aotearoa
        OM OMN 968 - Oman; عُمان; Sultanate of Oman
        PA PAN 507 - Panama; Republic of Panama
        PE PER 51 0 Peru; Republic of Peru
        PF PYF 689 - French Polynesia; Polynésie française; Tahiti
        PG PNG 675 - Papua New Guinea; Papua Niugini; Independent State of Papua New Guinea
        PH PHL 63 0 Philippines; Pilipinas; Philippinen; Republic of the Philippines
        PK PAK 92 0 Pakistan; پاکستان; Islamic Republic of Pakistan
        PL POL 48 - Poland; Polska; Republic of Poland
        PM SPM 508 0 Saint Pierre and Miquelon; Saint-Pierre-et-Miquelon; St. Pierre
        PN PCN 64 0 Pitcairn; Pitcairn Islands
        PR PRI 1 1 Puerto Rico
        PS PSE 970 0 Palestine, State of; Palestinian Territories; الأراضي الفلسطينية; Palestine; \
            Palestinian Territory; Occupied Palestinian Territory; the State of Palestine
        PT PRT 351 - Portugal; Portuguese Republic
        PW PLW 680 - Palau; Republic of Palau
        PY PRY 595 0 Paraguay; Paraguai; Republic of Paraguay
        QA QAT 974 - Qatar; قطر; State of Qatar
        RE REU 262 0 Réunion; La Réunion
        RO ROU 40 0 Romania; Roumania; Rumania
        RS SRB 381 0 Serbia; Srbija; Србија; Republic of Serbia
        RU RUS 7 8 Russian Federation; Russia; Россия; Rossiya; Rossija
        RW RWA 250 0 Rwanda; Rwandese Republic
        SA SAU 966 0 Saudi Arabia; المملكة العربية السعودية; KSA; Kingdom of Saudi Arabia
        SB SLB 677 - Solomon Islands
        SC SYC 248 - Seychelles; Republic of Seychelles
        SD SDN 249 0 Sudan; السودان; Republic of the Sudan
        SE SWE 46 0 Sweden; Sverige; Kingdom of Sweden
        SG SGP 65 - Singapore; 新加坡; Singapura; Republic of Singapore
        SH SHN 290 - Saint Helena, Ascension and Tristan da Cunha; St. Helena; Ascension Island; Tristan \
            da Cunha
        SI SVN 386 0 Slovenia; Slovenija; Republic of Slovenia
        SJ SJM 47 - Svalbard and Jan Mayen; Svalbard og Jan Mayen; Svalbard
        SK SVK 421 0 Slovakia; Slovensko; Slovak Republic; Slovenská republika
        SL SLE 232 0 Sierra Leone; Republic of Sierra Leone
        SM SMR 378 - San Marino; Republic of San Marino
        SN SEN 221 - Senegal; Republic of Senegal
        SO SOM 252 0 Somalia; Soomaaliya; الصومال; Federal Republic of Somalia
        SR SUR 597 - Suriname; Republic of Suriname
        SS SSD 211 0 South Sudan; Republic of South Sudan
        ST STP 239 - Sao Tome and Principe; São Tomé e Príncipe; Sao Tome; Democratic Republic of Sao \
            Tome and Principe
        SV SLV 503 - El Salvador; Republic of El Salvador
        SX SXM 1 1 Sint Maarten (Dutch part); Sint Maarten; Saint Martin (Dutch part)
        SY SYR 963 0 Syria; Syrian Arab Republic; سوريا
        SZ SWZ 268 - Eswatini; Swaziland; Kingdom of Eswatini
        TC TCA 1 1 Turks and Caicos Islands; Turks and Caicos
        TD TCD 235 - Chad; تشاد; Tchad; Republic of Chad
        TF ATF 262 0 French Southern Territories; French Southern and Antarctic Lands
        TG TGO 228 - Togo; Togolese Republic
        TH THA 66 0 Thailand; ไทย; Siam; Kingdom of Thailand
        TJ TJK 992 - Tajikistan; Тоҷикистон; Tadzhikistan; Tadjikistan; Republic of Tajikistan
        TK TKL 690 - Tokelau
        TL TLS 670 - Timor-Leste; East Timor; Democratic Republic of Timor-Leste
        TM TKM 993 8 Turkmenistan; Turkmenia
        TN TUN 216 - Tunisia; تونس; Tunisie; Republic of Tunisia
        TO TON 676 - Tonga; Kingdom of Tonga
        TR TUR 90 0 Türkiye; Turkey; Republic of Türkiye
        TT TTO 1 1 Trinidad and Tobago; Trinidad; Republic of Trinidad and Tobago
        TV TUV 688 - Tuvalu
        TW TWN 886 0 Taiwan; Taiwan, Province of China; 台灣; Chinese Taipei
        TZ TZA 255 0 Tanzania; Tanzania, United Republic of; United Republic of Tanzania
        UA UKR 380 0 Ukraine; Україна; Ukraina
        UG UGA 256 0 Uganda; Republic of Uganda
        UM UMI 1 1 United States Minor Outlying Islands; U.S. Outlying Islands; US Minor Outlying \
            Islands
        US USA 1 1 United States; United States of America; America; US of A; Estados Unidos; États-Unis
        UY URY 598 0 Uruguay; Eastern Republic of Uruguay
        UZ UZB 998 - Uzbekistan; Oʻzbekiston; Ўзбекистон; Republic of Uzbekistan
        VA VAT 39 - Holy See (Vatican City State); Vatican City; Vatican; Holy See; Vatican City State; \
            Città del Vaticano; Santa Sede
        VC VCT 1 1 Saint Vincent and the Grenadines; St. Vincent & Grenadines; St. Vincent
        VE VEN 58 0 Venezuela; Venezuela, Bolivarian Republic of; Bolivarian Republic of Venezuela
        VG VGB 1 1 Virgin Islands, British; British Virgin Islands; BVI
        VI VIR 1 1 Virgin Islands, U.S.; U.S. Virgin Islands; United States Virgin Islands; USVI; Virgin \
            Islands of the United States
        VN VNM 84 0 Vietnam; Socialist Republic of Viet Nam
        VU VUT 678 - Vanuatu; Republic of Vanuatu
        WF WLF 681 - Wallis and Futuna; Wallis-et-Futuna
        WS WSM 685 - Samoa; Independent State of Samoa
        YE YEM 967 0 Yemen; اليمن; Republic of Yemen
        YT MYT 262 0 Mayotte
        ZA ZAF 27 0 South Africa; RSA; Suid-Afrika; Republic of South Africa
        ZM ZMB 260 0 Zambia; Republic of Zambia
        ZW ZWE 263 0 Zimbabwe; Rhodesia; Republic of Zimbabwe
        """
}
