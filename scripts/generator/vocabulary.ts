/** Words that the generated records are made of. Invented people and places; codes are LOINC, SNOMED CT and UCUM. */

export const FAMILY_NAMES = [
  ...['Almeida', 'Björnsdóttir', 'Chen', 'Dąbrowski', "O'Brien", 'Émery', 'Fernández Ruiz', 'García', 'Haddad', 'Ivanova'],
  ...['Jensen', 'Kowalczyk', 'Łukasik', 'Müller', 'Nguyễn', 'Okafor', 'Petrović', 'Quispe', 'Rossi', 'Søndergaard', 'Țepeș'],
  ...['Ünal', 'van der Meer', 'Wójcik', '山田', '李', 'Ангелова', 'حداد', 'Zürcher', 'Smith-Jones'],
] as const;

export const GIVEN_NAMES = {
  female: ['Ana', 'Brigitte', 'Chloé', 'Dagný', 'Élise', 'Fatima', 'Grace', 'Hanna', 'Ioana', 'Мария', '花子', 'Zoë'],
  male: ['Andrés', 'Björn', 'Carlos', 'Dmitri', 'Emeka', 'François', 'Giorgos', 'Håkon', 'Ian', 'Jürgen', '太郎', 'Óscar'],
} as const;

export const CITIES = [
  { city: 'Lisboa', country: 'PT', postalCode: '1100-148' },
  { city: 'Kraków', country: 'PL', postalCode: '31-042' },
  { city: 'Zürich', country: 'CH', postalCode: '8001' },
  { city: 'Springfield', state: 'IL', country: 'US', postalCode: '62701' },
  { city: 'Reykjavík', country: 'IS', postalCode: '101' },
  { city: '大阪市', country: 'JP', postalCode: '530-0001' },
] as const;

export const STREETS = [
  'Main Street',
  'Rua da Prata',
  'ul. Długa',
  'Bahnhofstrasse',
  'Laugavegur',
  '梅田',
  'Église Lane',
] as const;

export const LANGUAGES = ['en', 'pt', 'pl', 'de-CH', 'is', 'ja'] as const;

export const ENCOUNTER_CLASSES = [
  { code: 'AMB', display: 'ambulatory' },
  { code: 'IMP', display: 'inpatient encounter' },
  { code: 'EMER', display: 'emergency' },
  { code: 'VR', display: 'virtual' },
] as const;

export const ENCOUNTER_TYPES = [
  { code: '185349003', display: 'Encounter for check up' },
  { code: '50849002', display: 'Emergency room admission' },
  { code: '32485007', display: 'Hospital admission' },
  { code: '185317003', display: 'Telephone encounter' },
] as const;

export const CONDITIONS = [
  { code: '44054006', display: 'Type 2 diabetes mellitus' },
  { code: '38341003', display: 'Hypertensive disorder' },
  { code: '195967001', display: 'Asthma' },
  { code: '13645005', display: 'Chronic obstructive pulmonary disease' },
  { code: '35489007', display: 'Depressive disorder' },
  { code: '22298006', display: 'Myocardial infarction' },
] as const;

/** Laboratory tests: plausible range and the digits after the point a laboratory reports. */
export const LAB_TESTS = [
  { code: '2744-1', display: 'pH of Arterial blood', unit: '[pH]', low: 7.1, high: 7.6, digits: 2, normal: ['7.35', '7.45'] },
  {
    code: '4548-4',
    display: 'Hemoglobin A1c/Hemoglobin.total in Blood',
    unit: '%',
    low: 4,
    high: 13,
    digits: 1,
    normal: ['4.0', '5.6'],
  },
  {
    code: '2160-0',
    display: 'Creatinine [Mass/volume] in Serum or Plasma',
    unit: 'mg/dL',
    low: 0.3,
    high: 6,
    digits: 2,
    normal: ['0.60', '1.20'],
  },
  {
    code: '2823-3',
    display: 'Potassium [Moles/volume] in Serum or Plasma',
    unit: 'mmol/L',
    low: 2.4,
    high: 7,
    digits: 1,
    normal: ['3.5', '5.0'],
  },
  {
    code: '718-7',
    display: 'Hemoglobin [Mass/volume] in Blood',
    unit: 'g/dL',
    low: 6,
    high: 19,
    digits: 1,
    normal: ['12.0', '17.0'],
  },
  {
    code: '3016-3',
    display: 'Thyrotropin [Units/volume] in Serum or Plasma',
    unit: 'm[IU]/L',
    low: 0.005,
    high: 12,
    digits: 3,
    normal: ['0.400', '4.000'],
  },
  {
    code: '6690-2',
    display: 'Leukocytes [#/volume] in Blood',
    unit: '10*3/uL',
    low: 1,
    high: 30,
    digits: 2,
    normal: ['4.50', '11.00'],
  },
] as const;

export const NOTES = [
  'Patient reports “stabbing” pain, worse at night.',
  'Kein Fieber; Übelkeit seit 3 Tagen.\nNächste Kontrolle in 2 Wochen.',
  'Sem alterações — repetir em 6 meses.',
  '経過良好 😀',
  'Ear: no discharge, "clear" drum; temp < 38 °C & stable',
  'Пациент жалуется на головную боль',
] as const;
